/** Bans after failed logins, with a clock that the test sets. */
import assert from "node:assert/strict";
import { Bans } from "../../../../core/local/account/bans.ts";
import type { Attempt } from "../../../../core/storage/logins.ts";
import { Database } from "../../../../core/local/database/database.ts";
import { verifier } from "../../_setup.ts";
import { Accounts } from "../../../../core/local/account/accounts.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const [here, there, elsewhere] = ["192.0.2.1", "198.51.100.7", "203.0.113.9"];

/** A database with the accounts anna and bob, and a clock that the test sets. */
class Clock implements Disposable {
  now = Date.parse("2026-03-01T12:00:00Z");
  readonly data = Deno.makeTempDirSync({ prefix: "barge-bans-" });
  readonly db = new Database(this.data, { create: true });
  readonly bans: Bans;
  /** The bans as another worker sees them. */
  readonly otherDb = new Database(this.data);
  readonly other: Bans;
  readonly #ids = new Map<string, number>();

  constructor(after?: number) {
    this.bans = new Bans(this.db, after, () => this.now);
    this.other = new Bans(this.otherDb, after, () => this.now);
    const accounts = new Accounts(this.db);
    for (const name of ["Anna", "bob"]) {
      const { id } = accounts.add({ name, role: "user", limit: null, verifier });
      this.#ids.set(name.toLowerCase(), id);
    }
  }

  attempt(name: string, host: string, mechanism: Attempt["mechanism"] = "password"): Attempt {
    const id = this.#ids.get(name.toLowerCase());
    return { account: id === undefined ? undefined : { id, name }, name, mechanism, host };
  }

  /** Fails a number of times. @returns the last delay in ms */
  fail(times: number, ...of: Parameters<Clock["attempt"]>): number {
    let delay = 0;
    for (let i = 0; i < times; i++) delay = this.bans.failed(this.attempt(...of)).delay;
    return delay;
  }

  banned(...of: Parameters<Clock["attempt"]>): boolean {
    const banned = this.bans.banned(this.attempt(...of));
    assert.equal(this.other.banned(this.attempt(...of)), banned, "all workers say the same");
    return banned;
  }

  succeed(...of: Parameters<Clock["attempt"]>): void {
    assert.equal(this.banned(...of), false);
    this.bans.succeeded(this.attempt(...of));
  }

  rows(table: string): number {
    return this.db.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)!.n;
  }

  [Symbol.dispose](): void {
    this.otherDb[Symbol.dispose]();
    this.db[Symbol.dispose]();
    Deno.removeSync(this.data, { recursive: true });
  }
}

Deno.test("the ninth failure bans the address, for all accounts, in all workers", () => {
  using clock = new Clock();
  for (const name of ["a", "b", "c", "d", "anna", "bob", "e", "f"]) clock.fail(1, name, here);
  assert.equal(clock.banned("anna", here), false);
  clock.fail(1, "g", here);
  assert.equal(clock.banned("anna", here), true);
  assert.equal(clock.banned("nobody", here), true);
  assert.equal(clock.banned("anna", here, "token"), true);
  assert.equal(clock.banned("anna", there), false);
  assert.deepEqual(clock.bans.list(), [
    { account: null, address: here, since: clock.now, until: clock.now + 5 * minute, times: 1 },
  ]);
});

Deno.test("the ninth failure bans the account everywhere but at its familiar addresses", () => {
  using clock = new Clock();
  clock.succeed("anna", here);
  for (let i = 1; i <= 9; i++) clock.fail(1, "ANNA", `198.51.100.${i}`);
  assert.equal(clock.banned("anna", elsewhere), true);
  assert.equal(clock.banned("anna", here), false, "at home");
  assert.equal(clock.banned("anna", "127.0.0.1"), false, "on the machine itself");
  assert.equal(clock.banned("anna", elsewhere, "token"), false, "a token can't be guessed");
  assert.equal(clock.banned("bob", elsewhere), false);
  const [ban] = clock.bans.list();
  assert.deepEqual([ban.account, ban.address], ["anna", null]);
});

Deno.test("failures at a familiar address ban the account there and nothing else", () => {
  using clock = new Clock();
  clock.succeed("anna", here);
  clock.fail(9, "anna", here);
  assert.equal(clock.banned("anna", here), true);
  assert.equal(clock.banned("anna", here, "token"), false);
  assert.equal(clock.banned("bob", here), false);
  assert.equal(clock.banned("anna", there), false);
  // A ban of the address does not hold for an account that it is familiar to.
  clock.succeed("bob", here);
  clock.fail(9, "nobody", here);
  assert.equal(clock.banned("mallory", here), true);
  assert.equal(clock.banned("bob", here), false);
});

Deno.test("loopback is never banned in any form; an account can be banned there", () => {
  using clock = new Clock();
  for (const host of ["127.0.0.1", "::1", "127.1.2.3", "::ffff:127.0.0.1"]) {
    for (let i = 0; i < 20; i++) clock.fail(1, `name${i}`, host, i % 2 ? "token" : "password");
  }
  assert.equal(clock.banned("anna", "::1"), false);
  assert.deepEqual(clock.bans.list(), []);
  clock.fail(4, "anna", "127.0.0.1");
  clock.fail(5, "anna", "::1");
  assert.equal(clock.banned("anna", "127.0.0.1"), true);
  assert.equal(clock.banned("anna", "127.0.0.1", "token"), false);
  assert.equal(clock.banned("bob", "127.0.0.1"), false);
  assert.equal(clock.banned("anna", here), false);
});

Deno.test("bans grow to a day, and start small again after a day without one", () => {
  using clock = new Clock();
  const lengths: number[] = [];
  for (let i = 0; i < 11; i++) {
    clock.fail(9, "anna", here);
    const ban = clock.bans.list().find(({ address }) => address === here)!;
    assert.equal(ban.times, i + 1);
    lengths.push((ban.until - ban.since) / minute);
    clock.now = ban.until - 1;
    assert.equal(clock.banned("bob", here), true);
    clock.fail(1, "bob", here); // does not extend the ban
    clock.now = ban.until;
    assert.equal(clock.banned("bob", here), false);
  }
  assert.deepEqual(lengths, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440]);
  clock.now += day + 1;
  clock.fail(9, "nobody", here);
  assert.deepEqual(clock.bans.list().map(({ times }) => times), [1, 1]);
});

Deno.test("nine new tries are allowed after a ban, and after an hour", () => {
  using clock = new Clock();
  clock.fail(9, "x", here);
  clock.now += 5 * minute;
  clock.fail(8, "y", here);
  assert.equal(clock.banned("x", here), false);
  clock.now += hour + 1;
  clock.fail(8, "z", here);
  assert.equal(clock.banned("x", here), false);
  clock.fail(1, "z", here);
  assert.equal(clock.banned("x", here), true);
});

Deno.test("a login forgets the account's failures, not those of other names", () => {
  using clock = new Clock();
  clock.fail(8, "anna", there);
  clock.succeed("anna", there);
  clock.fail(8, "anna", there);
  assert.equal(clock.banned("anna", there), false);
  clock.fail(8, "bob", elsewhere);
  clock.succeed("anna", elsewhere);
  clock.fail(1, "bob", elsewhere);
  assert.equal(clock.banned("bob", elsewhere), true);
});

Deno.test("delays double up to 5 s, for known and unknown names; a limit of 0 bans nobody", () => {
  using clock = new Clock(0);
  const delays = (name: string, host: string) =>
    Array.from({ length: 12 }, () => clock.fail(1, name, host));
  const expected = [100, 200, 400, 800, 1600, 3200, ...Array(6).fill(5000)];
  assert.deepEqual(delays("anna", here), expected);
  assert.deepEqual(delays("nobody", there), expected);
  assert.deepEqual(delays("anna", "127.0.0.1"), expected);
  assert.equal(clock.fail(1, "bob", elsewhere), 100);
  assert.deepEqual(clock.bans.list(), []);
  assert.equal(clock.banned("anna", here), false);
});

Deno.test("an IPv6 network counts as one address; an IPv4 address in IPv6 counts as IPv4", () => {
  using clock = new Clock();
  for (let i = 1; i <= 9; i++) clock.fail(1, `n${i}`, `2001:db8:0:7:${i}::1`);
  assert.equal(clock.banned("anna", "2001:db8:0:7::ffff"), true);
  assert.equal(clock.banned("anna", "2001:db8:0:8::ffff"), false);
  clock.fail(9, "x", "::ffff:192.0.2.1");
  assert.equal(clock.banned("anna", here), true);
});

Deno.test("lifting a ban by address or account forgets its failures", () => {
  using clock = new Clock();
  clock.fail(9, "Anna", here);
  assert.equal(clock.bans.list().length, 2);
  assert.deepEqual(clock.bans.lift("nobody"), []);
  assert.deepEqual(clock.bans.lift(here).map(({ account }) => account), [null]);
  assert.equal(clock.banned("bob", here), false);
  assert.equal(clock.banned("anna", there), true);
  assert.equal(clock.bans.lift("ANNA").length, 1);
  assert.equal(clock.banned("anna", there), false);
  clock.fail(8, "anna", there);
  assert.equal(clock.banned("anna", there), false);
  clock.fail(9, "nobody", "2001:db8::1");
  assert.equal(clock.bans.lift("2001:db8:0:0::/64").length, 1, "as it is listed");
  clock.fail(9, "nobody2", "2001:db8::1");
  assert.equal(clock.bans.lift("2001:db8::5").length, 1, "and as it is seen");
});

Deno.test("unknown names are stored as digests", () => {
  using clock = new Clock();
  clock.fail(9, "correct horse battery staple", "127.0.0.1");
  assert.match(clock.bans.list()[0].account!, /^\?[0-9a-f]{12}$/);
  const bytes = Deno.readFileSync(`${clock.data}/accounts.db-wal`);
  assert.equal(new TextDecoder("latin1").decode(bytes).includes("battery"), false);
});

Deno.test("the tables of bans are bounded", () => {
  using clock = new Clock();
  clock.db.transaction(() => {
    for (let i = 0; i < 20_100; i++) clock.fail(1, `n${i}`, "127.0.0.1");
  });
  assert.equal(clock.rows("failure"), 20_000);
  clock.now += hour + 1;
  clock.fail(1, "x", "127.0.0.1");
  assert.equal(clock.rows("failure"), 1);
  for (let i = 0; i < 100; i++) {
    clock.now++;
    clock.succeed("anna", `10.0.0.${i}`);
  }
  assert.equal(clock.rows("familiar"), 64);
  clock.fail(9, "bob", here);
  assert.equal(clock.rows("ban"), 2);
  clock.now += 3 * day;
  clock.fail(9, "bob", "::1");
  assert.equal(clock.rows("ban"), 1);
  new Accounts(clock.db).add({ name: "root", role: "admin", limit: null, verifier });
  new Accounts(clock.db).remove("anna");
  assert.equal(clock.rows("familiar"), 0);
});
