/** The promises of every storage about events (core/storage/events.ts). */
import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import type { EventStore, EventTarget, ListedEvent } from "../../../core/storage/events.ts";
import type { AccountStore } from "../../../core/storage/accounts.ts";
import type { LoginStore } from "../../../core/storage/logins.ts";
import type { Tree } from "../../../core/storage/tree.ts";
import type { Uploads } from "../../../core/storage/uploads.ts";
import { always } from "./_suite_tree.ts";
import { store, text } from "./_suite_uploads.ts";

/** A change during which a process can be killed. */
export type Change = "store" | "commit" | "move" | "remove";

/** One storage, with the account anna and her home. */
export interface EventsUnderTest extends AsyncDisposable {
  readonly events: EventStore;
  readonly tree: Tree;
  readonly uploads: Uploads;
  readonly accounts: AccountStore;
  readonly logins: LoginStore;
  /** The id of anna. */
  readonly anna: number;
  /** For each change the steps at which nothing has happened yet, and those at which it has happened. */
  readonly steps: Readonly<
    Record<Change, readonly [before: readonly string[], after: readonly string[]]>
  >;
  /** Has another process make a change, and kills it at a step; then does what a start of the server does. */
  kill(change: Change, step: string, content: string): Promise<void>;
}

const target: EventTarget = { name: "all", commitsOnly: false };
const commits: EventTarget = { name: "commits", commitsOnly: true };
const home = "homes/anna";

/** Returns the kinds and paths of the events for a target. */
async function kinds(events: EventStore, of = target.name): Promise<string[]> {
  return (await events.list({ target: of }, 1000)).map(({ facts }) => {
    const { event, path, account } = JSON.parse(facts);
    return `${event} ${path ?? account}`;
  });
}

/** Runs the suite on a storage. */
export function eventsContract(name: string, make: () => Promise<EventsUnderTest>): void {
  const test = (promise: string, run: (storage: EventsUnderTest) => Promise<void>) =>
    Deno.test(`${name}: ${promise}`, async () => {
      await using storage = await make();
      await run(storage);
    });

  test("each change has its event, for each target that wants it", async (storage) => {
    const { events, tree, uploads, accounts, logins, anna } = storage;
    await events.configure([target, commits]);
    const place = (name: string) => ({ dir: home, name });
    const verifier = (await logins.byPassword("anna"))!.verifier;
    await store(uploads, anna, text("x"), place("a"));
    await tree.mkdir(place("d"), { account: anna, parents: true, modified: null }, always);
    await tree.move(place("a"), { dir: `${home}/d`, name: "b" }, anna, always);
    await tree.remove(place("d"), anna, always);
    await accounts.add({ name: "ben", role: "user", limit: null, verifier });
    await accounts.change("ben", { disabled: true });
    await accounts.remove("ben", { purge: true });
    const attempt = {
      account: undefined,
      name: "none",
      mechanism: "password",
      host: "192.0.2.1",
    } as const;
    await logins.failed(attempt);
    // From another address, since three failures are followed by a ban.
    const byToken = { ...attempt, mechanism: "token", host: "198.51.100.1" } as const;
    const owner = { name: "Anna" };
    await logins.failed({ ...byToken, owner });
    await logins.failed(byToken);
    const known = (await accounts.find("anna"))!;
    await logins.failed({ ...attempt, account: known, mechanism: "question" });
    assert.deepEqual(await kinds(events), [
      ...["commit /home/a", "mkdir /home/d", "move /home/d/b", "remove /home/d"],
      ...["account-added ben", "account-changed ben", "account-removed ben"],
      `login-failed ${await logins.markOf("none")}`,
      ...["login-failed Anna", `login-failed ${await logins.markOf("none")}`, "login-failed anna"],
    ]);
    assert.deepEqual(await kinds(events, commits.name), ["commit /home/a"]);
  });

  test("changes of several accounts have events with the names of the accounts", async (storage) => {
    const { events, accounts, logins } = storage;
    const { verifier } = (await logins.byPassword("anna"))!;
    const facts = { role: "user", limit: null, verifier } as const;
    await events.configure([target]);
    await accounts.add({ name: "Ben", ...facts });
    await accounts.add({ name: "Carl", ...facts });
    await events.drop({});
    await accounts.apply({
      added: [{ name: "Dora", ...facts }],
      changed: [{ name: "BEN", change: { disabled: true } }],
      removed: ["carl"],
    });
    assert.deepEqual(await kinds(events), [
      ...["account-added Dora", "account-changed Ben", "account-removed Carl"],
    ]);
  });

  test("a change that is refused has no event, and without targets no change has", async (storage) => {
    const { events, tree, anna } = storage;
    const folder = { account: anna, parents: false, modified: null };
    await tree.mkdir({ dir: home, name: "early" }, folder, always);
    assert.deepEqual(await kinds(events), []);
    await events.configure([target]);
    const refusing = {
      places: [],
      check() {
        throw new BargeError("denied", "refused");
      },
    };
    const refused = tree.mkdir({ dir: home, name: "refused" }, folder, refusing);
    await assert.rejects(refused, { kind: "denied" });
    assert.deepEqual(await kinds(events), []);
  });

  test("kill -9 at each step: an event for a change that has happened, and for no other", async (storage) => {
    const { events, uploads, anna } = storage;
    await events.configure([target]);
    const drop = () => events.drop({});
    for (const [change, [before, after]] of Object.entries(storage.steps)) {
      for (const [steps, happened] of [[before, false], [after, true]] as const) {
        for (const step of steps) {
          if (change === "move" || change === "remove") {
            await store(uploads, anna, text("x"), { dir: home, name: "from" });
          }
          await drop();
          await storage.kill(change as Change, step, `${change} ${step}`);
          const found = (await kinds(events)).map((kind) => kind.split(" ")[0]);
          const expected = change === "move" || change === "remove" ? change : "commit";
          assert.deepEqual(found, happened ? [expected] : [], `${change} at ${step}`);
        }
      }
    }
  });

  test("events are read by their ids, postponed, retried and removed", async (storage) => {
    const { events, uploads, anna } = storage;
    await events.configure([target]);
    for (const name of ["1", "2", "3"]) {
      await store(uploads, anna, text(name), { dir: home, name });
    }
    const { events: waiting } = await events.waiting(target.name, 0, 10);
    assert.deepEqual(waiting.map(({ places }) => places), [
      [`${home}/1`],
      [`${home}/2`],
      [`${home}/3`],
    ]);
    const [first, second, third] = waiting.map(({ id }) => id);
    assert.ok(first < second && second < third);
    const page = await events.waiting(target.name, first, 1);
    assert.deepEqual(page.events.map(({ id }) => id), [second]);
    assert.equal(JSON.parse((await events.facts(second))!).path, "/home/2");
    assert.deepEqual((await events.waiting("another", 0, 10)).events, []);

    const { generation } = (await events.lead(target.name, "server"))!;
    await events.postpone([{ id: second, inMs: 60_000, error: "it answered 500" }]);
    const byId = async (id: number) =>
      (await events.list({}, 10)).find((event) => event.id === id) as ListedEvent;
    const postponed = await byId(second);
    assert.deepEqual([postponed.attempts, postponed.error], [1, "it answered 500"]);
    assert.ok(postponed.dueInMs > 50_000 && postponed.dueInMs <= 60_000);
    assert.deepEqual((await events.list({ failing: true }, 10)).map(({ id }) => id), [second]);
    assert.equal(await events.retry({ failing: true }), 1);
    assert.ok((await byId(second)).dueInMs <= 0);
    assert.notEqual((await events.lead(target.name, "server"))!.generation, generation);

    await events.remove([first]);
    assert.equal(await events.facts(first), undefined);
    assert.equal(await events.drop({ ids: [second, first] }), 1);
    assert.equal(await events.drop({ target: "another" }), 0);
    assert.equal(await events.removeOlder(60_000), 0);
    assert.equal(await events.removeOlder(-60_000), 1);
    assert.deepEqual(await events.list({}, 10), []);
  });
}
