/** The promises of every storage about accounts, logins and share links (core/storage). */
import assert from "node:assert/strict";
import { BargeError, type Kind } from "../../../core/error.ts";
import type { Account, Login, Role } from "../../../core/storage/account.ts";
import type { AuditStore } from "../../../core/storage/audit/audit.ts";
import {
  type AccountChanges,
  type AccountStore,
  defaultRegisterLimits,
} from "../../../core/storage/accounts.ts";
import { maxKeys, maxTokens } from "../../../core/storage/bounds.ts";
import { type Attempt, listedTokenMs, type LoginStore } from "../../../core/storage/logins.ts";
import { type AuthorizedKey, fingerprintOf } from "../../../core/storage/public_key.ts";
import { fullScope, type Scope } from "../../../core/storage/scope.ts";
import type { ShareStore } from "../../../core/storage/shares.ts";
import type { Tree } from "../../../core/storage/tree.ts";
import { verifier } from "../../core/_setup.ts";
import { always } from "./_suite_tree.ts";

/** The parts of one connection to a storage. */
export interface People {
  readonly accounts: AccountStore;
  readonly logins: LoginStore;
  readonly shares: ShareStore;
  readonly audit: AuditStore;
  readonly tree: Tree;
}

/** One empty storage, in which three failed logins are followed by a ban. */
export interface PeopleUnderTest extends AsyncDisposable {
  /** Opens one more connection, as another worker has it. It is closed with the storage. */
  connect(): Promise<People>;
  /** Writes a file of an account in its home. */
  write(account: Account, name: string, content: string): Promise<void>;
}

/** The failed logins after which a ban follows. */
export const banAfter = 3;

const home = (name: string) => ({ dir: "homes", name });
const file = { dir: "homes/anna", name: "f" };
const otherVerifier = { ...verifier, storedKey: verifier.serverKey };

async function fails(kind: Kind, work: Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error) => error instanceof BargeError && error.kind === kind);
}

/** Makes an account with a home. */
async function add(
  { accounts }: People,
  name: string,
  facts: { readonly role?: Role; readonly limit?: number | null } = {},
): Promise<Account> {
  const { role = "user", limit = null } = facts;
  const account = await accounts.add({ name, role, limit, verifier });
  await accounts.makeHome(account.name);
  return account;
}

async function login({ logins }: People, name: string): Promise<Login> {
  const found = (await logins.byPassword(name))!;
  return { id: found.account.id, credential: found.credential };
}

async function holds(logins: LoginStore, login: Login): Promise<boolean> {
  const account = await logins.account(login);
  const standing = await logins.standing(login);
  assert.deepEqual(
    standing && [standing.role, standing.from, standing.totp],
    account && [account.role, account.from, account.totp],
  );
  return account !== undefined;
}

function attempt(account: Account, facts: Partial<Attempt> = {}): Attempt {
  return { account, name: account.name, mechanism: "password", host: "192.0.2.7", ...facts };
}

/** Returns a public key, another one for each number. */
function key(n: number): AuthorizedKey {
  const type = "ssh-ed25519";
  const blob = new TextEncoder().encode(`${type} ${n}`);
  return { type, blob, comment: `key ${n}`, ignored: [] };
}

/** Runs the suite on a storage. */
export function peopleContract(name: string, make: () => Promise<PeopleUnderTest>): void {
  const test = (
    promise: string,
    work: (people: People, storage: PeopleUnderTest) => Promise<void>,
  ) =>
    Deno.test(`${name}: ${promise}`, async () => {
      await using storage = await make();
      await work(await storage.connect(), storage);
    });

  test("an account is made once, in whatever case, and changed", async (people) => {
    const { accounts } = people;
    const anna = await add(people, "Anna", { limit: 1000 });
    assert.deepEqual([anna.name, anna.role, anna.limit, anna.used], ["Anna", "user", 1000, 0]);
    await fails("exists", add(people, "anna"));
    await fails("usage", add(people, "../x"));
    await fails("not-found", accounts.get("bob"));
    assert.equal((await accounts.find("ANNA"))?.id, anna.id);
    assert.equal((await accounts.byId(anna.id))?.name, "Anna");
    const changed = await accounts.change("anna", { limit: 20 * 2 ** 30, disabled: true });
    assert.deepEqual([changed.limit, changed.disabled], [20 * 2 ** 30, true]);
    assert(changed.entryLimit! > anna.entryLimit!, "the entry limit follows the quota");
    assert.deepEqual([anna.entryLimitSet, changed.entryLimitSet], [false, false]);
    assert.equal((await accounts.change("anna", { entryLimit: 5 })).entryLimitSet, true);
    assert.equal((await accounts.change("anna", { limit: 1 })).entryLimit, 5, "unless it was set");
    assert.deepEqual((await accounts.list()).map((each) => each.entryLimitSet), [true]);
    await add(people, "bob");
    assert.deepEqual((await accounts.list()).map(({ name }) => name), ["Anna", "bob"]);
    assert.equal((await accounts.totals()).accounts.count, 2);
  });

  test("accounts that fill 90 % of their quota are counted", async (people, storage) => {
    const { accounts } = people;
    const anna = await add(people, "anna", { limit: 1000 });
    await add(people, "none", { limit: 0 });
    await add(people, "root", { limit: null });
    await storage.write(anna, "f", "x".repeat(899));
    assert.equal((await accounts.totals()).nearQuota, 0);
    await storage.write(anna, "g", "x");
    assert.equal((await accounts.totals()).nearQuota, 1);
  });

  test("an account ends at its time, and has the networks that it may log in from", async (people) => {
    const { accounts, logins } = people;
    await add(people, "root", { role: "admin" });
    const from = ["192.0.2.0/24", "2001:db8::/32"];
    const later = Date.now() + 3_600_000;
    const facts = { role: "user", limit: null, verifier, expires: later, from } as const;
    const made = await accounts.add({ name: "anna", ...facts });
    assert.deepEqual([made.expires, made.expired, made.from], [later, false, from]);
    const password = await login(people, "anna");
    assert.equal(await holds(logins, password), true);

    let before = await logins.revocations();
    const ended = await accounts.change("anna", { expires: Date.now() - 1000 });
    assert.deepEqual([ended.expired, ended.from], [true, from]);
    assert.notEqual(await logins.revocations(), before);
    assert.equal(await holds(logins, password), false);
    assert.equal(await logins.account(password), undefined);
    before = await logins.revocations();
    const changed = await accounts.change("anna", { expires: null, from: null });
    assert.deepEqual([changed.expires, changed.expired, changed.from], [null, false, null]);
    assert.notEqual(await logins.revocations(), before);
    assert.equal((await logins.account(password))?.from, null);

    await fails("refused", accounts.change("root", { expires: later }));
    assert.equal((await accounts.get("root")).expires, null);
  });

  test("the last admin that can log in stays", async (people) => {
    const { accounts } = people;
    await add(people, "root", { role: "admin" });
    await add(people, "anna");
    await fails("refused", accounts.change("root", { role: "user" }));
    await fails("refused", accounts.change("root", { disabled: true }));
    await fails("refused", accounts.remove("root", { purge: false }));
    await accounts.change("anna", { role: "admin" });
    await accounts.change("root", { role: "user" });
    assert.equal((await accounts.get("root")).role, "user");
  });

  test("a removed account leaves its files, unless they are purged", async (people, storage) => {
    const { accounts, tree } = people;
    const anna = await add(people, "anna");
    await storage.write(anna, "f", "12345");
    assert.deepEqual({ ...await accounts.owned(anna.id) }, { files: 1, bytes: 5 });
    const { kept, files, bytes } = await accounts.remove("anna", { purge: false });
    assert.deepEqual([kept === null, files, bytes], [false, 1, 5]);
    assert.equal(await accounts.find("anna"), undefined);
    assert.equal(await tree.entry(home("anna")), undefined);
    const bob = await add(people, "bob");
    await storage.write(bob, "f", "1");
    assert.equal((await accounts.remove("bob", { purge: true })).kept, null);
    await add(people, "anna"); // its home is free again
    await fails("not-found", accounts.remove("none", { purge: true }));
  });

  test("a new password ends what rested on the old one", async (people) => {
    const { accounts, logins } = people;
    const anna = await add(people, "anna");
    const old = await login(people, "anna");
    const { id } = (await logins.issueToken(old, "laptop"))!;
    const token: Login = { id: anna.id, credential: { kind: "token", id } };
    const secret = (await logins.beginWebSession(old, { agent: "a", address: "192.0.2.7" }))!;
    assert.equal((await logins.byWebSession(secret))?.account.id, anna.id);
    assert.equal((await logins.byToken(id))?.account.id, anna.id);
    const before = await logins.revocations();
    const credential = (await logins.changePassword(old, otherVerifier))!;
    assert.notEqual(await logins.revocations(), before);
    assert.deepEqual([await holds(logins, old), await holds(logins, token)], [false, false]);
    assert.equal(await holds(logins, { id: anna.id, credential }), true);
    assert.equal(await logins.byWebSession(secret), undefined);
    assert.equal(await logins.byToken(id), undefined);
    assert.equal((await logins.byPassword("anna"))?.verifier.storedKey, otherVerifier.storedKey);
    assert.equal(await logins.changePassword(old, verifier), undefined);
    assert.equal(await logins.issueToken(old, "late"), undefined);
    await accounts.change("anna", { disabled: true });
    assert.equal(await logins.account({ id: anna.id, credential }), undefined);
  });

  test("tokens and web sessions are listed and ended, with those that they began", async (people) => {
    const { logins } = people;
    const anna = await add(people, "anna");
    const bob = await add(people, "bob");
    const password = await login(people, "anna");
    const first = (await logins.issueToken(password, "first"))!;
    const token: Login = { id: anna.id, credential: { kind: "token", id: first.id } };
    const second = (await logins.issueToken(token, "second"))!;
    const secret = (await logins.beginWebSession(token, { agent: "a", address: "192.0.2.7" }))!;
    assert.deepEqual((await logins.tokens(anna.id)).map(({ label }) => label).sort(), [
      "first",
      "second",
    ]);
    const [session] = await logins.webSessions(anna.id);
    assert.deepEqual([session.agent, session.address], ["a", "192.0.2.7"]);
    assert.equal(await logins.endWebSession(bob.id, session.id), false);
    assert.equal(await logins.revokeToken(bob.id, first.id), false);
    assert.equal(await logins.revokeToken(anna.id, first.id), true);
    assert.deepEqual(await logins.tokens(anna.id), []);
    assert.equal(await logins.byToken(second.id), undefined);
    assert.equal(await logins.byWebSession(secret), undefined);
    const other = (await logins.beginWebSession(password, { agent: "b", address: "::1" }))!;
    const id = (await logins.byWebSession(other))!.id;
    assert.equal(await logins.endWebSession(anna.id, id), true);
    assert.equal(await logins.byWebSession(other), undefined);
  });

  test("a token has its scope and its last use, and ends at its time", async (people) => {
    const { logins } = people;
    const anna = await add(people, "anna");
    const password = await login(people, "anna");
    const scope: Scope = {
      access: "append-only",
      path: "/home/back ups",
      doors: ["native", "sftp"],
      from: ["192.0.2.0/24", "2001:db8::/32"],
      expires: Date.now() + 3_600_000,
    };
    const { id } = (await logins.issueToken(password, "job", scope))!;
    const ended = { ...fullScope, expires: Date.now() - 1000 };
    const before = await logins.revocations();
    const late = (await logins.issueToken(password, "late", ended))!;
    assert.notEqual(await logins.revocations(), before, "its end is noticed");
    const credential = { kind: "token", id } as const;
    assert.equal(await holds(logins, { id: anna.id, credential }), true);
    const ending: Login = { id: anna.id, credential: { kind: "token", id: late.id } };
    assert.equal(await holds(logins, ending), false);
    assert.equal(await logins.account(ending), undefined);
    assert.equal(await logins.issueToken(ending, "later"), undefined);

    await logins.succeeded(attempt(anna, { mechanism: "token", name: id }), credential);
    const { scope: kept, expired } = (await logins.byToken(id))!;
    assert.deepEqual([kept, expired], [scope, false]);
    assert.equal((await logins.byToken(late.id))!.expired, true);
    const listed = (await logins.tokens(anna.id)).find((token) => token.id === id)!;
    const { used, usedFrom, access, path, doors, from, expires } = listed;
    assert.ok(used! > 0);
    assert.equal(usedFrom, "192.0.2.7");
    assert.deepEqual({ access, path, doors, from, expires }, scope);

    const cookie = await logins.beginWebSession({ id: anna.id, credential }, {
      agent: "a",
      address: "192.0.2.7",
    });
    assert.deepEqual((await logins.byWebSession(cookie!))!.scope, scope);
  });

  test("tokens that expired long ago make room, and others where there is none", async (people) => {
    const { logins } = people;
    const anna = await add(people, "anna");
    const password = await login(people, "anna");
    const labels = async () => (await logins.tokens(anna.id)).map(({ label }) => label).sort();
    const endedAgo = (ms: number) => ({ ...fullScope, expires: Date.now() - ms });
    await logins.issueToken(password, "old", endedAgo(listedTokenMs + 60_000));
    await logins.issueToken(password, "ended", endedAgo(1000));
    assert.deepEqual(await labels(), ["ended"]);
    const others = Array.from({ length: maxTokens - 1 }, (_, i) => `t${i}`);
    for (const label of others) await logins.issueToken(password, label);
    await logins.issueToken(password, "one more");
    assert.deepEqual(await labels(), ["one more", ...others].sort());
    await fails("refused", logins.issueToken(password, "too many"));
  });

  test("all tokens of an account are revoked at once", async (people) => {
    const { logins } = people;
    const anna = await add(people, "anna");
    const bob = await add(people, "bob");
    const password = await login(people, "anna");
    const first = (await logins.issueToken(password, "first"))!;
    const token: Login = { id: anna.id, credential: { kind: "token", id: first.id } };
    await logins.issueToken(token, "second");
    await logins.issueToken(await login(people, "bob"), "bob's");
    const ids = (await logins.tokens(anna.id)).map(({ id }) => id);
    const before = await logins.revocations();
    assert.deepEqual(await logins.revokeTokens(anna.id), ids);
    assert.notEqual(await logins.revocations(), before);
    assert.deepEqual(await logins.tokens(anna.id), []);
    assert.equal(await holds(logins, token), false);
    assert.equal((await logins.tokens(bob.id)).length, 1);
    assert.deepEqual(await logins.revokeTokens(anna.id), []);
  });

  test("public keys are added all or none, listed and removed", async (people) => {
    const { logins } = people;
    const anna = await add(people, "anna");
    const bob = await add(people, "bob");
    const [one, two] = [key(1), key(2)];
    assert.deepEqual(await logins.addKeys(anna.id, [one, two, one]), [true, true, false]);
    assert.deepEqual(await logins.addKeys(anna.id, [two]), [false]);
    const listed = await logins.keys(anna.id);
    const fingerprints = [one, two].map(({ blob }) => fingerprintOf(blob));
    assert.deepEqual(listed.map(({ fingerprint }) => fingerprint).sort(), fingerprints.toSorted());
    assert.deepEqual(listed.map(({ type, used }) => [type, used]), [
      ["ssh-ed25519", null],
      ["ssh-ed25519", null],
    ]);
    assert.deepEqual(listed.map(({ comment }) => comment).sort(), ["key 1", "key 2"]);
    assert(Math.abs(listed[0].added - Date.now()) < 600_000);
    assert.equal((await logins.byKey("ANNA", fingerprints[0]))?.id, anna.id);
    const session: Login = {
      id: anna.id,
      credential: { kind: "key", fingerprint: fingerprints[0] },
    };
    assert.equal(await holds(logins, session), true);
    assert.deepEqual(await logins.removeKeys(bob.id, fingerprints), []);
    assert.deepEqual(await logins.removeKeys(anna.id, ["none", fingerprints[0]]), [
      fingerprints[0],
    ]);
    assert.equal(await holds(logins, session), false);
    const many = Array.from({ length: maxKeys }, (_, n) => key(n + 10));
    await fails("refused", logins.addKeys(anna.id, many));
    assert.equal((await logins.keys(anna.id)).length, 1, "one too many: none is added");
    await logins.addKeys(anna.id, many.slice(1));
    assert.deepEqual(await logins.addKeys(anna.id, [two]), [false], "it has that one already");
    await fails("not-found", logins.addKeys(anna.id + bob.id + 1, [one]));
  });

  test(
    "several accounts are added, changed and removed together, or none",
    async (people, storage) => {
      const { accounts, logins } = people;
      const apply = (changes: Partial<AccountChanges>) =>
        accounts.apply({ added: [], changed: [], removed: [], ...changes });
      const names = async () => (await accounts.list()).map(({ name }) => name);
      const boss = { name: "boss", role: "admin", limit: null, verifier } as const;
      const anna = { name: "anna", role: "user", limit: 10, verifier } as const;
      await apply({ added: [boss, anna, { ...boss, name: "asleep", disabled: true }] });
      assert.deepEqual(await names(), ["anna", "asleep", "boss"]);
      assert.equal((await accounts.get("asleep")).disabled, true);
      assert.equal((await accounts.get("boss")).disabled, false);

      const demoted = { name: "boss", change: { role: "user" } } as const;
      const raised = { name: "anna", change: { limit: 20, disabled: false } } as const;
      const carl = { ...anna, name: "carl" };
      await fails("refused", apply({ added: [carl], changed: [demoted, raised] }));
      await fails("refused", apply({ added: [carl], changed: [raised], removed: ["boss"] }));
      await fails("exists", apply({ added: [carl, { ...carl, name: "BOSS" }], changed: [raised] }));
      await fails("not-found", apply({ added: [carl], changed: [raised], removed: ["none"] }));
      assert.deepEqual(await names(), ["anna", "asleep", "boss"]);
      assert.equal((await accounts.get("anna")).limit, 10);

      // The other one is an admin only after the first is not.
      await apply({ changed: [demoted, { name: "anna", change: { role: "admin" } }] });
      const old = await login(people, "boss");
      await accounts.makeHome("boss");
      await storage.write(await accounts.get("boss"), "f", "12345");
      const removed = await apply({
        added: [carl],
        changed: [{ name: "anna", change: { verifier: otherVerifier } }],
        removed: ["Boss", "asleep"],
      });
      assert.deepEqual([...removed.keys()], ["Boss", "asleep"]);
      const { kept, files, bytes } = removed.get("Boss")!;
      assert.deepEqual([kept === null, files, bytes], [false, 1, 5]);
      assert.equal(removed.get("asleep")!.kept, null);
      assert.deepEqual(await names(), ["anna", "carl"]);
      assert.equal(await holds(logins, old), false);
      assert.equal((await logins.byPassword("anna"))?.verifier.storedKey, otherVerifier.storedKey);
      await accounts.needFreeHome("boss");
    },
  );

  test("an unknown name gets a verifier of its own, always the same", async (people) => {
    const { logins } = people;
    const other = people;
    assert.equal(await logins.byPassword("none"), undefined);
    const decoy = await logins.decoy("none");
    assert.deepEqual(await other.logins.decoy("NONE"), decoy);
    assert.notEqual((await logins.decoy("nobody")).salt, decoy.salt);
    assert.match(await logins.markOf("none"), /^\?[0-9a-f]{12}$/);
  });

  test(
    "failures ban an account and an address, on every connection, until they are lifted",
    async (people, storage) => {
      const other = await storage.connect();
      const anna = await add(people, "anna");
      const far = attempt(anna);
      const delays: number[] = [];
      for (let i = 0; i < banAfter; i++) {
        const { delay, bans } = await (i % 2 ? people : other).logins.failed(far);
        delays.push(delay);
        assert.equal(bans.length, i === banAfter - 1 ? 2 : 0);
      }
      assert(delays[0] < delays[1] && delays[1] < delays[2], delays.join());
      assert.equal(await other.logins.isBanned(far), true);
      assert.equal(await people.logins.isBanned(attempt(anna, { host: "192.0.2.9" })), true);
      const token = attempt(anna, { mechanism: "token", host: "192.0.2.9" });
      assert.equal(await people.logins.isBanned(token), false, "a token can't be guessed");
      assert.equal((await people.logins.bans()).length, 2);
      assert.equal((await people.accounts.totals()).banned, 2);
      assert.deepEqual((await people.logins.failed(far)).bans, [], "a banned login is not counted");
      assert.equal((await other.logins.liftBans("ANNA")).length, 1);
      assert.equal((await other.logins.liftBans("192.0.2.7")).length, 1);
      assert.equal(await people.logins.isBanned(far), false);
    },
  );

  test("a familiar address is not banned by what others do elsewhere", async (people) => {
    const { logins } = people;
    const anna = await add(people, "anna");
    const known = attempt(anna, { host: "198.51.100.1" });
    await logins.failed(known);
    await logins.succeeded(known, (await login(people, "anna")).credential);
    for (let i = 0; i < banAfter; i++) await logins.failed(attempt(anna));
    assert.equal(await logins.isBanned(attempt(anna)), true);
    assert.equal(await logins.isBanned(known), false);
    assert((await people.accounts.get("anna")).lastLogin! > 0);
    for (let i = 0; i < banAfter; i++) await logins.failed(known);
    assert.equal(await logins.isBanned(known), true, "its own failures there count from zero");
  });

  test("strangers register within the limits, also at the same time", async (people, storage) => {
    const other = await storage.connect();
    const limits = { ...defaultRegisterLimits, perAddress: 6, perHour: 3, total: 1000 };
    const register = (n: number) =>
      (n % 2 ? people : other).accounts.register(
        { name: `stranger${n}`, role: "user", limit: 100, verifier },
        "192.0.2.7",
        limits,
      );
    const made = await Promise.allSettled([0, 1, 2, 3, 4, 5].map(register));
    assert.equal(made.filter(({ status }) => status === "fulfilled").length, 3);
    await fails("refused", register(6)); // the seventh try from there
    const { name } = (await people.accounts.list())[0];
    const guest = await login(people, name);
    const grow = (limit: number) => people.accounts.grow(guest, limit, () => {}, 1000);
    assert.equal((await grow(800))?.limit, 800);
    await fails("refused", grow(801));
  });

  test(
    "a share link is counted no more often than it may be, and ends with its file",
    async (people, storage) => {
      const { shares, tree } = people;
      const other = await storage.connect();
      const anna = await add(people, "anna");
      await storage.write(anna, "f", "abc");
      const expires = Date.now() + 3_600_000;
      const { token, share } = await shares.add(anna.id, {
        place: file,
        kind: "file",
        expires,
        maxDownloads: 3,
        verifier: null,
      });
      assert.deepEqual([share.place, share.downloads, share.gone], [file, 0, false]);
      const found = (await other.shares.find(token))!;
      assert.equal(found.account, anna.id);
      const counts = await Promise.all(
        Array.from({ length: 8 }, (_, n) => (n % 2 ? shares : other.shares).count(found, "a", "v")),
      );
      assert.equal(counts.filter(Boolean).length, 3);
      assert.equal(await shares.resume(found, "a", "v"), true);
      assert.equal(await shares.resume(found, "b", "v"), false);
      const guest: Login = { id: anna.id, credential: { kind: "share", digest: found.digest } };
      assert.equal(await holds(people.logins, guest), true);
      await storage.write(anna, "f", "replaced");
      assert.equal((await shares.find(token))?.gone, false, "a file in its place is shared, too");
      await tree.move(file, { ...file, name: "g" }, anna.id, always);
      assert.equal((await shares.list(anna.id))[0].gone, true);
      await storage.write(anna, "f", "another");
      assert.equal((await shares.find(token))?.gone, true, "a later file of that name is not");
      assert.equal(await shares.revoke(anna.id, share.id), true);
      assert.equal(await shares.find(token), undefined);
      assert.equal(await holds(people.logins, guest), false);
      assert.equal(await other.shares.signingKey(), await shares.signingKey());
    },
  );
}
