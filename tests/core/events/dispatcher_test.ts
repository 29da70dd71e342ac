/** The deliveries to one target, on a real data directory: how many at once, pauses and bounds. */
import assert from "node:assert/strict";
import type { Deliver, Delivery } from "../../../core/events/delivery.ts";
import { Dispatcher } from "../../../core/events/dispatcher.ts";
import type { EventLimits } from "../../../core/events/limits.ts";
import { until } from "../../_observe.ts";
import { Setup, write } from "../_setup.ts";

const target = { name: "all", commitsOnly: false };
const wide: EventLimits = { maxEvents: 1000, maxAgeMs: 86_400_000 };

/** A data directory with files and their events, and a dispatcher of them. */
async function run(
  deliver: Deliver,
  { files, jobs = 3, limits = wide, strangers = 0 }: {
    readonly files: number;
    readonly jobs?: number;
    readonly limits?: EventLimits;
    readonly strangers?: number;
  },
  work: (dispatcher: Dispatcher, setup: Setup) => Promise<void>,
): Promise<void> {
  using setup = new Setup({ events: [target] });
  const session = setup.user("anna");
  await setup.store.events.drop({});
  for (let i = 0; i < strangers; i++) {
    const host = `192.0.2.${i}`;
    const attempt = { account: undefined, name: "none", mechanism: "password", host } as const;
    await setup.store.people.logins.failed(attempt);
  }
  for (let i = 0; i < files; i++) await write(session, `/home/${i}`, "x");
  const store = setup.store.events;
  const dispatcher = new Dispatcher({ target: "all", store, deliver, server: "a", jobs, limits });
  dispatcher.start();
  try {
    await work(dispatcher, setup);
  } finally {
    await dispatcher.stop(0);
  }
}

const waiting = async ({ store: { events } }: Setup) => (await events.list({}, 1000)).length;

Deno.test("no more deliveries are under way at once than allowed", async () => {
  let [now, most] = [0, 0];
  const deliver: Deliver = async () => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve, 1));
    now--;
    return { outcome: "delivered" };
  };
  await run(deliver, { files: 30 }, async (dispatcher, setup) => {
    await until(async () => await waiting(setup) === 0);
    assert.equal(most, 3);
    assert.equal(dispatcher.state.delivered, 30);
  });
});

Deno.test("a target that takes nothing is tested with one event at a time, then gets all", async () => {
  let [isDown, now, most, attempts] = [true, 0, 0, 0];
  const deliver: Deliver = async () => {
    attempts++;
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve, 1));
    now--;
    const down: Delivery = { outcome: "failed", why: "no answer", fault: "target" };
    return isDown ? down : { outcome: "delivered" };
  };
  await run(deliver, { files: 20 }, async (dispatcher, setup) => {
    await until(() => dispatcher.state.failures >= 4);
    assert.equal(attempts, 4); // three at the start, and a test of the target
    isDown = false;
    await until(async () => await waiting(setup) === 0);
    assert.equal(dispatcher.state.delivered, 20);
    assert.equal(most, 3);
  });
});

Deno.test("failed logins can't push out the events of files", async () => {
  const limits = { ...wide, maxEvents: 20 };
  const deliver: Deliver = () =>
    Promise.resolve({ outcome: "failed", why: "no", fault: "target", retryAfterMs: 60_000 });
  await run(deliver, { files: 5, strangers: 40, limits }, async (_, setup) => {
    await until(async () => await waiting(setup) === 7);
    const left = await setup.store.events.list({}, 1000);
    const kinds = left.map(({ facts }) => JSON.parse(facts).event);
    assert.equal(kinds.filter((kind) => kind === "commit").length, 5);
  });
});

Deno.test("an event that is too old is dropped", async () => {
  const limits = { ...wide, maxAgeMs: 1 };
  const deliver: Deliver = () => Promise.resolve({ outcome: "failed", why: "no", fault: "event" });
  await run(deliver, { files: 3, limits }, async (dispatcher, setup) => {
    await until(async () => await waiting(setup) === 0);
    assert.equal(dispatcher.state.dropped, 3);
  });
});

Deno.test("a canceled delivery is not a failed attempt", async () => {
  const started = Promise.withResolvers<void>();
  const deliver: Deliver = (_, stop) =>
    new Promise((_, reject) => {
      stop.addEventListener("abort", () => reject(stop.reason));
      started.resolve();
    });
  await run(deliver, { files: 1 }, async (dispatcher, setup) => {
    await started.promise;
    await dispatcher.stop(0);
    const [event] = await setup.store.events.list({}, 10);
    assert.deepEqual([event.attempts, event.error], [0, null]);
  });
});
