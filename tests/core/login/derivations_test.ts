/** The number of derivations at once, and the order of their turns. */
import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import {
  Derivations,
  type LoginClient,
  makeDerivationTable,
  maxRunning,
  maxRunningHere,
  maxWaiting,
} from "../../../core/login/derivations.ts";

/** Derivations that a test ends, and a record of those that have begun. */
class Bench {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, () => void>();
  readonly #all: Promise<string>[] = [];

  start(where: Derivations, name: string, client: LoginClient): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ends.set(name, resolve);
    const result = where.run(() => {
      this.begun.push(name);
      return promise;
    }, client).then(() => "done", (error) => (error as BargeError).kind);
    this.#all.push(result);
    return result;
  }

  /** Ends a derivation, and waits until the next one has begun. */
  async end(name: string): Promise<void> {
    this.#ends.get(name)!();
    await new Promise((resolve) => setTimeout(resolve));
  }

  /** Ends all, also those that have not begun. */
  async over(): Promise<string[]> {
    for (const end of this.#ends.values()) end();
    return await Promise.all(this.#all);
  }
}

const at = (n: number) => `192.0.2.${n}`;

Deno.test("one account, and one address, has one derivation at a time", async () => {
  const [derivations, bench] = [new Derivations(), new Bench()];
  bench.start(derivations, "anna at 1", { account: "anna", host: at(1) });
  bench.start(derivations, "Anna at 2", { account: "Anna", host: at(2) });
  bench.start(derivations, "bob at 1", { account: "bob", host: at(1) });
  bench.start(derivations, "carl at 3", { account: "carl", host: at(3) });
  bench.start(derivations, "dora at 4", { account: "dora", host: at(4) });
  assert.deepEqual(bench.begun, ["anna at 1", "carl at 3"]);
  assert.equal(bench.begun.length, maxRunningHere);
  await bench.end("carl at 3");
  assert.deepEqual(bench.begun.slice(2), ["dora at 4"], "the first two still have to wait");
  await bench.end("anna at 1");
  assert.deepEqual(bench.begun.slice(3), ["Anna at 2"]);
  assert.deepEqual(await bench.over(), Array(5).fill("done"));
});

Deno.test("on loopback, turns are by account", async () => {
  const [derivations, bench] = [new Derivations(), new Bench()];
  bench.start(derivations, "anna", { account: "anna", host: "127.0.0.1" });
  bench.start(derivations, "anna again", { account: "anna", host: "::1" });
  bench.start(derivations, "bob", { account: "bob", host: "::ffff:127.0.0.1" });
  assert.deepEqual(bench.begun, ["anna", "bob"]);
  await bench.over();
});

Deno.test("a flood from one address delays its own logins, and no others", async () => {
  const [derivations, bench] = [new Derivations(), new Bench()];
  const flood = Array.from(
    { length: 100 },
    (_, i) => bench.start(derivations, `flood ${i}`, { account: `guess${i}`, host: at(1) }),
  );
  assert.deepEqual(bench.begun, ["flood 0"]);
  const other = bench.start(derivations, "anna", { account: "anna", host: at(2) });
  assert.deepEqual(bench.begun, ["flood 0", "anna"], "it does not wait at all");
  const others = [3, 4, 5].map((n) => {
    const login = bench.start(derivations, `at ${n}`, { account: `user${n}`, host: at(n) });
    return [n, login] as const;
  });
  await bench.end("anna");
  assert.equal(await other, "done");
  for (const [n, login] of others) {
    assert.equal(bench.begun.at(-1), `at ${n}`, "each in turn, none of the flood before it");
    await bench.end(`at ${n}`);
    assert.equal(await login, "done");
  }
  await bench.over();
  const kinds = await Promise.all(flood);
  const refused = kinds.filter((kind) => kind === "unavailable").length;
  assert.equal(refused, 100 - 1 - maxWaiting + 3, "three of the queue made room for the others");
});

Deno.test("all workers together run a bounded number, and share the turns", async () => {
  const table = makeDerivationTable();
  const workers = Array.from({ length: 6 }, (_, i) => new Derivations(i, table));
  const bench = new Bench();
  for (const [i, worker] of workers.entries()) {
    for (const j of [0, 1, 2]) {
      bench.start(worker, `${i}${j}`, { account: `a${i}${j}`, host: at(10 * i + j) });
    }
  }
  assert.equal(bench.begun.length, maxRunning);
  assert.deepEqual(new Set(bench.begun.map(([worker]) => worker)), new Set("0123"));
  await bench.end("00"); // its own worker's next
  assert.equal(bench.begun.at(-1), "02");
  await bench.end("10");
  await bench.end("11");
  await bench.end("12");
  assert.deepEqual(await bench.over(), Array(18).fill("done"), "the other workers noticed");
  // One account has one derivation at a time, in any worker.
  const last = new Bench();
  last.start(workers[0], "here", { account: "anna", host: at(1) });
  const there = last.start(workers[1], "there", { account: "anna", host: at(2) });
  assert.deepEqual(last.begun, ["here"]);
  await last.end("here");
  assert.equal(await Promise.race([there, last.over().then(() => there)]), "done");
});

Deno.test("the cells of a dead worker are free again", async () => {
  const table = makeDerivationTable();
  const [alive, dead] = [new Derivations(0, table), new Derivations(1, table)];
  void dead.run(() => new Promise(() => {}), { account: "anna" });
  const bench = new Bench();
  const login = bench.start(alive, "anna", { account: "anna" });
  assert.deepEqual(bench.begun, []);
  new Derivations(1, table);
  await bench.over();
  assert.equal(await login, "done");
});

Deno.test("a login waits in the queue for a bounded time", async () => {
  const derivations = new Derivations();
  const blocked = Promise.withResolvers<void>();
  const running = [1, 2].map((n) => derivations.run(() => blocked.promise, { host: at(n) }));
  const third = derivations.run(() => Promise.resolve(), { host: at(3) }, undefined, 10);
  await assert.rejects(
    third,
    (error) => error instanceof BargeError && error.kind === "unavailable",
  );
  blocked.resolve();
  await Promise.all(running);
  assert.equal(await derivations.run(() => Promise.resolve("next"), { host: at(3) }), "next");
});
