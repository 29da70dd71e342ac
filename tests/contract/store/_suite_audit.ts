/** The promises of every storage about the audit trail (core/storage/audit/). */
import assert from "node:assert/strict";
import type { Login } from "../../../core/storage/account.ts";
import {
  type Actor,
  type AuditEntry,
  type AuditRecord,
  type AuditStore,
  maxDetailsLength,
  operator,
} from "../../../core/storage/audit/audit.ts";
import { defaultRegisterLimits } from "../../../core/storage/accounts.ts";
import type { Attempt } from "../../../core/storage/logins.ts";
import type { AuthorizedKey } from "../../../core/storage/public_key.ts";
import { fullScope } from "../../../core/storage/scope.ts";
import { until } from "../../_observe.ts";
import { verifier } from "../../core/_setup.ts";
import type { People } from "./_suite_people.ts";
import { always, from, to } from "./_suite_tree.ts";

/** One empty storage, in which three failed logins are followed by a ban. */
export interface AuditUnderTest extends AsyncDisposable {
  /** Opens one more connection, as another worker has it. It is closed with the storage. */
  connect(): Promise<People>;
  /** Changes the quota of anna to 5 bytes in another process, which is killed just before the commit. */
  changeKilled(anna: number): Promise<void>;
  /** Writes a file to `from`, with a record of its guard. */
  writeRecorded(account: number, record: AuditEntry): Promise<void>;
}

const root: Actor = { account: "root", address: "192.0.2.7", door: "http" };
const hourMs = 3_600_000;

async function all(audit: AuditStore): Promise<readonly AuditRecord[]> {
  return (await audit.list({ limit: 1000 })).toReversed();
}

function sumOf(records: readonly AuditRecord[]): number {
  return records.reduce((sum, { count }) => sum + count, 0);
}

async function login({ logins }: People, name: string): Promise<Login> {
  const found = (await logins.byPassword(name))!;
  return { id: found.account.id, credential: found.credential };
}

function key(n: number): AuthorizedKey {
  const type = "ssh-ed25519";
  return { type, blob: new TextEncoder().encode(`${type} ${n}`), comment: "laptop", ignored: [] };
}

function failure(address: string, account: string | null): AuditEntry {
  const by = { account: null, address, door: "http" };
  return { event: "login-failed", account, by, details: { with: "password" } };
}

/** Runs the suite on a storage. */
export function auditContract(name: string, make: () => Promise<AuditUnderTest>): void {
  const test = (
    promise: string,
    work: (people: People, storage: AuditUnderTest) => Promise<void>,
  ) =>
    Deno.test(`${name}: ${promise}`, async () => {
      await using storage = await make();
      await work(await storage.connect(), storage);
    });

  test("each change of an account, and of its secrets, has a record with its actor", async (people) => {
    const { accounts, audit, logins, shares } = people;
    const facts = { role: "user", limit: 1000, verifier } as const;
    const { id } = await accounts.add({ name: "Anna", ...facts }, root);
    await accounts.makeHome("Anna");
    await accounts.change("anna", { limit: 2000, disabled: false, from: ["192.0.2.0/24"] }, root);
    const asBefore = {
      limit: 2000,
      role: "user",
      disabled: false,
      expires: null,
      totp: false,
    } as const;
    await accounts.change("anna", { ...asBefore, from: ["192.0.2.0/24"] }, root); // nothing differs
    await accounts.apply({ added: [], changed: [{ name: "anna", change: asBefore }], removed: [] });
    const { entryLimit } = await accounts.get("anna");
    await accounts.change("anna", { entryLimit }, root); // it no longer follows the quota
    await accounts.change("anna", { entryLimit }, root); // nothing differs
    const anna = await login(people, "anna");
    const own = { account: "Anna", address: "192.0.2.9", door: "native" };
    const scope = { ...fullScope, access: "read-only", expires: Date.now() + hourMs } as const;
    const token = (await logins.issueToken(anna, "laptop", scope, own))!;
    await logins.addKeys(id, [key(1), key(2)], root);
    await logins.addKeys(id, [key(1)], root); // it is there already
    await logins.removeKeys(id, ["SHA256:none", (await logins.keys(id))[0].fingerprint], root);
    const web = (await logins.beginWebSession(anna, { agent: "x", address: "192.0.2.9" }))!;
    const { id: session } = (await logins.byWebSession(web))!;
    await logins.endWebSession(id, session, own);
    const place = { dir: "homes/Anna", name: "f" };
    const expires = Date.now() + hourMs;
    const share = { place, kind: "file", expires, maxDownloads: null, verifier } as const;
    const made = await shares.add(id, share, own);
    await shares.revoke(id, made.share.id, own);
    await shares.revoke(id, "none", own);
    await logins.revokeToken(id, token.id, own);
    await logins.issueToken(anna, "old");
    await logins.revokeTokens(id);
    await accounts.grow(anna, 3000, () => {}, null, own);
    await logins.changePassword(anna, verifier, own);
    const bob = { account: "bob", address: "192.0.2.8", door: "native" };
    await accounts.register({ name: "bob", ...facts }, "192.0.2.8", defaultRegisterLimits, bob);
    await accounts.apply({
      added: [{ name: "carol", ...facts, role: "admin" }],
      changed: [{ name: "anna", change: { role: "admin" } }],
      removed: ["bob"],
    });
    await accounts.remove("anna", { purge: false }, root);

    const records = await all(audit);
    const shown = records.map(({ event, account, by }) => `${event} ${account} ${by.account}`);
    assert.deepEqual(shown, [
      "account-added Anna root",
      "account-changed Anna root",
      "account-changed Anna root",
      "token-issued Anna Anna",
      "key-added Anna root",
      "key-added Anna root",
      "key-removed Anna root",
      "web-session-ended Anna Anna",
      "share-made Anna Anna",
      "share-revoked Anna Anna",
      "token-revoked Anna Anna",
      "token-issued Anna null",
      "token-revoked Anna null",
      "account-changed Anna Anna",
      "account-changed Anna Anna",
      "account-added bob bob",
      "account-added carol null",
      "account-changed Anna null",
      "account-removed bob null",
      "account-removed Anna root",
    ]);
    assert.deepEqual(records[0].by, root);
    assert.deepEqual(records.at(-2)!.by, operator);
    assert.deepEqual(records[1].details, {
      limit: { from: 1000, to: 2000 },
      from: { from: null, to: ["192.0.2.0/24"] },
    });
    assert.deepEqual(records[2].details, { entryLimitSet: { from: false, to: true } });
    assert.deepEqual(records[14].details, { password: true });
    const [{ at, last, count }] = records;
    assert(at > Date.now() - hourMs && last === at && count === 1);

    const text = JSON.stringify(records);
    for (const secret of [token.token, made.token, web, verifier.storedKey, verifier.salt]) {
      assert(!text.includes(secret), "no record has a secret");
    }
    assert(!text.includes(token.token.slice(`barge_${token.id}_`.length)));
  });

  test("a change that is refused has no record", async ({ accounts, audit }) => {
    const facts = { limit: null, verifier } as const;
    await accounts.add({ name: "root", role: "admin", ...facts });
    await accounts.add({ name: "bob", role: "user", ...facts });
    await assert.rejects(accounts.add({ name: "ROOT", role: "user", ...facts }));
    await assert.rejects(accounts.change("root", { disabled: true }));
    await assert.rejects(accounts.remove("root", { purge: false }));
    await assert.rejects(accounts.apply({
      added: [{ name: "anna", role: "user", ...facts }],
      changed: [],
      removed: ["root"],
    }));
    const events = (await all(audit)).map(({ event }) => event);
    assert.deepEqual(events, ["account-added", "account-added"]);
  });

  test(
    "a process that dies before the commit leaves neither a change nor its record",
    async (people, storage) => {
      const { accounts, audit } = people;
      const { id } = await accounts.add({ name: "anna", role: "user", limit: 1000, verifier });
      await storage.changeKilled(id);
      assert.equal((await accounts.get("anna")).limit, 1000);
      assert.deepEqual((await all(audit)).map(({ event }) => event), ["account-added"]);
      await accounts.change("anna", { limit: 5 });
      assert.equal((await accounts.get("anna")).limit, 5);
      assert.equal((await all(audit)).length, 2);
    },
  );

  test("a change of files has the record of its guard", async (people, storage) => {
    const { accounts, audit, tree } = people;
    const { id } = await accounts.add({ name: "anna", role: "user", limit: null, verifier });
    await accounts.makeHome("anna");
    const anna = { account: "anna", address: "192.0.2.9", door: "ftp" };
    const record = (event: AuditEntry["event"], details = {}): AuditEntry => {
      return { event, account: "anna", by: anna, details };
    };
    await storage.writeRecorded(id, record("commit", { path: "/home/f" }));
    const folder = { account: id, parents: false, modified: null };
    const guard = { ...always, record: record("mkdir") };
    await tree.mkdir({ dir: "homes/anna", name: "d" }, folder, guard);
    await tree.mkdir({ dir: "homes/anna", name: "d" }, folder, guard); // it is there already
    await tree.move(from, to, id, { ...always, record: record("move") });
    await tree.remove(to, id, { ...always, record: record("remove") });
    await assert.rejects(tree.remove(to, id, { ...always, record: record("remove") }));
    const records = (await all(audit)).slice(1);
    assert.deepEqual(records.map(({ event }) => event), ["commit", "mkdir", "move", "remove"]);
    assert.deepEqual(records[0].details, { path: "/home/f", size: 5, replaced: false });
  });

  test("a ban, and its end, have records", async ({ accounts, audit, logins }) => {
    const account = await accounts.add({ name: "anna", role: "user", limit: null, verifier });
    const attempt: Attempt = {
      account,
      name: "anna",
      mechanism: "password",
      host: "192.0.2.7",
      door: "ftp",
    };
    for (let i = 0; i < 5; i++) await logins.failed(attempt);
    await logins.liftBans("192.0.2.7", root);
    const records = (await all(audit)).slice(1);
    assert.deepEqual(
      records.map(({ event, account, by }) => [event, account, by.account, by.address, by.door]),
      [
        ["ban", null, null, "192.0.2.7", "ftp"],
        ["ban", "anna", null, "192.0.2.7", "ftp"],
        ["ban-lifted", null, "root", "192.0.2.7", "http"],
      ],
    );
    assert.equal(records[0].details.banned, "192.0.2.7");
  });

  test(
    "logins that are alike in a minute are one record with their number",
    async (people, storage) => {
      const others = [people, await storage.connect()];
      const by = { account: "anna", address: "192.0.2.7", door: "http" };
      const entry: AuditEntry = { event: "login", account: "anna", by, details: { with: "token" } };
      for (const { audit } of others) {
        await audit.note(entry);
        assert((await all(audit)).length > 0, "the first one is recorded at once");
        for (let i = 0; i < 19; i++) await audit.note(entry);
      }
      await people.audit.note({ ...entry, by: { ...by, door: "ftp" } });
      const records = await until(async () => {
        const records = await all(people.audit);
        return sumOf(records) === 41 ? records : undefined;
      });
      assert(records.length <= 2 * 2, "one of each door and minute");
      assert(records[0].last >= records[0].at);
    },
  );

  test("a flood of failures of an address is a few records", async ({ audit }) => {
    for (let i = 0; i < 300; i++) {
      const address = `2001:db8::${i.toString(16)}`; // one network
      await audit.note(failure(address, i % 2 === 0 ? null : `user${i}`));
    }
    const records = await until<readonly AuditRecord[] | undefined>(async () => {
      const records = await all(audit);
      return sumOf(records) === 300 ? records : undefined;
    });
    assert(records.length <= 2 * 9, "unknown names and eight accounts, in each minute");
  });

  test("records are found by account, by time, and in pages", async ({ audit }) => {
    for (let i = 0; i < 5; i++) {
      const by = i === 3 ? { ...root, account: "Anna" } : root;
      const account = i < 2 ? "anna" : "bob";
      await audit.add({ event: "account-changed", account, by, details: { n: i } });
    }
    const numbers = (records: readonly AuditRecord[]) => records.map(({ details }) => details.n);
    assert.deepEqual(numbers(await audit.list({ limit: 10, account: "ANNA" })), [3, 1, 0]);
    assert.deepEqual(numbers(await audit.list({ limit: 2, account: "anna" })), [3, 1]);
    const page = await audit.list({ limit: 2 });
    assert.deepEqual(numbers(page), [4, 3]);
    assert.deepEqual(numbers(await audit.list({ limit: 2, before: page[1].id })), [2, 1]);
    assert.deepEqual(await audit.list({ limit: 2, since: Date.now() + hourMs }), []);
    assert.equal((await audit.list({ limit: 9, since: Date.now() - hourMs })).length, 5);
  });

  test("records end after their days, and their details are bounded", async ({ audit }) => {
    const long = { event: "share-made", account: "anna", by: root } as const;
    const text = "x".repeat(maxDetailsLength);
    await audit.add({ ...long, details: { place: text } });
    await audit.add({ ...long, details: { place: "p", from: Array(10).fill(text) } });
    const [cut, named] = await all(audit);
    assert.equal((cut.details.place as string).length, 500);
    assert.deepEqual(named.details, { tooLong: ["place", "from"] });
    await audit.prune(1);
    assert.equal((await all(audit)).length, 2);
    await until(async () => {
      await audit.prune(0);
      return (await all(audit)).length === 0;
    });
  });
}
