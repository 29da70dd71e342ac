/** Storage that many machines share keeps the promises that every storage makes of events. */
import assert from "node:assert/strict";
import { SharedEvents } from "../../../core/shared/events.ts";
import { SharedOutbox } from "../../../core/shared/database/outbox.ts";
import { until } from "../../_observe.ts";
import { hasEngines, SharedSetup } from "./_shared.ts";
import { type Change, eventsContract, type EventsUnderTest } from "./_suite_events.ts";

class SharedEventsUnderTest implements EventsUnderTest {
  readonly steps = {
    store: [["sent", "written"], ["committed"]],
    commit: [["committed/3", "written/4"], ["committed/4"]],
    move: [["written"], ["committed"]],
    remove: [["written"], ["committed"]],
  } as const;
  readonly anna: number;
  readonly #setup: SharedSetup;
  readonly #node;

  constructor(setup: SharedSetup, anna: number) {
    this.#setup = setup;
    this.#node = setup.node();
    this.anna = anna;
  }

  get events() {
    return this.#node.events;
  }
  get tree() {
    return this.#node.tree;
  }
  get uploads() {
    return this.#node.uploads;
  }
  get accounts() {
    return this.#node.people.accounts;
  }
  get logins() {
    return this.#node.people.logins;
  }

  async kill(change: Change, step: string, content: string): Promise<void> {
    await this.#setup.killed(change, step, `${this.anna}`, content);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#setup[Symbol.asyncDispose]();
  }
}

if (hasEngines) {
  eventsContract("shared", async () => {
    const setup = await SharedSetup.make();
    return new SharedEventsUnderTest(setup, await setup.addAccount("anna", null));
  });
}

const ignore = !hasEngines;
const target = { name: "all", commitsOnly: false };

/** Configures the target. */
async function withTarget({ first: { db } }: SharedSetup) {
  const events = new SharedEvents(db);
  await events.configure([target]);
  return { db, events };
}

const event = (place: string) => () => [{
  places: [place],
  facts: { event: "mkdir", time: "", path: place } as const,
}];

Deno.test({
  name: "shared: an event with a lower id whose transaction ends later is not missed",
  ignore,
  async fn() {
    await using setup = await SharedSetup.make();
    const { db, events } = await withTarget(setup);
    const outbox = new SharedOutbox([target]);
    const released = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    const slow = setup.node().parts.db.transaction(async (tx) => {
      await outbox.add(tx, event("homes/slow"));
      written.resolve();
      await released.promise;
    });
    await written.promise;
    await db.transaction((tx) => outbox.add(tx, event("homes/fast")));
    const seen = new Set<number>();
    let settled = 0;
    const read = async () => {
      const page = await events.waiting("all", settled, 100);
      settled = page.settled;
      for (const { id } of page.events) seen.add(id);
    };
    for (let i = 0; i < 5; i++) await read();
    assert.equal(seen.size, 1);
    released.resolve();
    await slow;
    await read();
    assert.equal(seen.size, 2);
    // Once no transaction is under way that could bring a lower id, the reader does not look there again.
    await until(async () => {
      await db.transaction((tx) => outbox.add(tx, event("homes/next")));
      await read();
      return settled > Math.min(...seen);
    });
    const all = await events.list({}, 1000);
    assert.equal(seen.size, all.length);
  },
});

Deno.test({
  name: "shared: one node leads, and another one after the end of the lease or a resignation",
  ignore,
  async fn() {
    await using setup = await SharedSetup.make();
    const { db, events } = await withTarget(setup);
    const leads = async (server: string) => await events.lead("all", server) !== undefined;
    assert.deepEqual([await leads("a"), await leads("b"), await leads("a")], [true, false, true]);
    await events.resign("all", "b");
    assert.equal(await leads("b"), false);
    await events.resign("all", "a");
    assert.deepEqual([await leads("b"), await leads("a")], [true, false]);
    await db.all("UPDATE event_target SET until = now() - interval '1 ms'");
    assert.deepEqual([await leads("a"), await leads("b")], [true, false]);
    assert.equal(await events.lead("unknown", "a"), undefined);
  },
});
