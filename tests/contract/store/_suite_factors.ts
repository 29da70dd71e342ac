/** The promises of every storage about second factors (core/storage/factors.ts). */
import assert from "node:assert/strict";
import type { Login } from "../../../core/storage/account.ts";
import type { AccountStore } from "../../../core/storage/accounts.ts";
import type { Actor, AuditStore } from "../../../core/storage/audit/audit.ts";
import type { EventStore } from "../../../core/storage/events.ts";
import type { FactorStore } from "../../../core/storage/factors.ts";
import type { LoginStore } from "../../../core/storage/logins.ts";
import { recoveryDigest } from "../../../core/storage/second_factor.ts";
import { codeAt, newRecoveryCodes, newSecret, stepMs } from "../../../core/protocol/totp.ts";
import { verifier } from "../../core/_setup.ts";

/** The parts of one connection to a storage. */
interface People {
  readonly accounts: AccountStore;
  readonly logins: LoginStore;
  readonly factors: FactorStore;
  readonly audit: AuditStore;
}

/** One empty storage. */
export interface FactorsUnderTest extends AsyncDisposable {
  /** Opens one more connection, as another worker has it. It is closed with the storage. */
  connect(): Promise<People>;
  readonly events: EventStore;
  /** Returns the text of all that the database has of accounts. */
  rows(): Promise<string>;
}

const by: Actor = { account: "anna", address: "192.0.2.7", door: "native" };
const otherVerifier = { ...verifier, storedKey: verifier.serverKey };

async function add({ accounts }: People, name: string) {
  return await accounts.add({ name, role: "user", limit: null, verifier });
}

async function login({ logins }: People, name: string): Promise<Login> {
  const found = (await logins.byPassword(name))!;
  return { id: found.account.id, credential: found.credential };
}

/** Enables a second factor with the code of the step before, so that two codes are left. */
async function enable(people: People, name: string) {
  const secret = newSecret();
  const codes = newRecoveryCodes();
  const recovery = codes.map(recoveryDigest);
  const code = codeAt(secret, Date.now() - stepMs);
  const factor = { secret, code, recovery };
  const enabled = await people.factors.enable(await login(people, name), factor, by);
  return { secret, codes, enabled };
}

/** Runs the suite on a storage. */
export function factorsContract(name: string, make: () => Promise<FactorsUnderTest>): void {
  const test = (
    promise: string,
    work: (people: People, storage: FactorsUnderTest) => Promise<void>,
  ) =>
    Deno.test(`${name}: ${promise}`, async () => {
      await using storage = await make();
      await work(await storage.connect(), storage);
    });

  test("a second factor is enabled by a code of its secret, and ends password logins", async (people) => {
    const { factors, logins, accounts } = people;
    const { id } = await add(people, "anna");
    const before = await login(people, "anna");
    const agent = { agent: "", address: "192.0.2.7" };
    const cookie = (await logins.beginWebSession(before, agent))!;
    const { token } = (await logins.issueToken(before, "test"))!;
    const secret = newSecret();
    const wrong = { secret, code: codeAt(newSecret(), Date.now()), recovery: [] };
    assert.equal(await factors.enable(before, wrong, by), "wrong");
    assert.equal((await accounts.get("anna")).totp, false);
    assert.ok(await logins.account(before));

    const { enabled, secret: own } = await enable(people, "anna");
    assert.equal(typeof enabled, "object");
    assert.equal((await accounts.get("anna")).totp, true);
    assert.equal(await logins.account(before), undefined);
    assert.equal(await logins.byWebSession(cookie), undefined);
    const [, tokenId] = token.split("_");
    assert.ok(await logins.account({ id, credential: { kind: "token", id: tokenId } }));
    const after = await login(people, "anna");
    assert.deepEqual(after.credential, enabled);
    const again = { secret: own, code: codeAt(own, Date.now()), recovery: [] };
    assert.equal(await factors.enable(after, again, by), "exists");
    assert.equal(await factors.enable(before, again, by), "ended");
  });

  test("a code is right within a step of the clock, and once", async (people) => {
    const { factors } = people;
    const { id } = await add(people, "anna");
    assert.equal(await factors.use(id, "000000"), false);
    const { secret } = await enable(people, "anna");
    const at = (steps: number) => codeAt(secret, Date.now() + steps * stepMs);
    for (const code of [at(-3), at(-1), at(3), "", "12345", "1234567", "abcdef"]) {
      assert.equal(await factors.use(id, code), false, code);
    }
    const now = at(0);
    assert.equal(await factors.use(id, ` ${now.slice(0, 3)} ${now.slice(3)}\n`), true);
    assert.equal(await factors.use(id, now), false);
    assert.equal(await factors.use(id, at(1)), true);
    assert.equal(await factors.use(id, at(1)), false);
    assert.equal(await factors.use(id + 1, at(1)), false);
  });

  test(
    "of logins that race with one code at several workers, one succeeds",
    async (people, storage) => {
      const others = await Promise.all(Array.from({ length: 4 }, () => storage.connect()));
      for (let i = 0; i < 5; i++) {
        const { id } = await add(people, `user${i}`);
        const { secret, codes } = await enable(people, `user${i}`);
        for (const code of [codeAt(secret, Date.now()), codes[0]]) {
          const all = await Promise.all(others.map(({ factors }) => factors.use(id, code)));
          assert.equal(all.filter(Boolean).length, 1);
        }
      }
    },
  );

  test("each recovery code is right once, until it is replaced", async (people) => {
    const { factors } = people;
    const { id } = await add(people, "anna");
    const { codes } = await enable(people, "anna");
    assert.equal(await factors.recoveryCodes(id), 10);
    assert.equal(await factors.use(id, codes[0]), true);
    assert.equal(await factors.use(id, codes[0]), false);
    assert.equal(await factors.use(id, codes[1].toUpperCase().replaceAll("-", " ")), true);
    assert.equal(await factors.recoveryCodes(id), 8);
    const fresh = newRecoveryCodes();
    const digests = fresh.map(recoveryDigest);
    const anna = await login(people, "anna");
    assert.equal(await factors.setRecoveryCodes(anna, digests, by), true);
    assert.equal(await factors.use(id, codes[2]), false);
    for (const code of fresh) assert.equal(await factors.use(id, code), true);
    assert.equal(await factors.recoveryCodes(id), 0);
    assert.equal(await factors.use(id, ""), false);
  });

  test("a second factor outlives a new password, and ends with its removal", async (people) => {
    const { accounts, factors } = people;
    const { id } = await add(people, "anna");
    await enable(people, "anna");
    const old = await login(people, "anna");
    await accounts.change("anna", { verifier: otherVerifier });
    assert.equal((await accounts.get("anna")).totp, true);
    assert.equal(await factors.disable(old, by), false);
    assert.equal(await factors.setRecoveryCodes(old, [], by), false);
    assert.equal(await factors.disable(await login(people, "anna"), by), true);
    assert.equal((await accounts.byId(id))!.totp, false);
    assert.equal(await factors.recoveryCodes(id), 0);

    await enable(people, "anna");
    assert.equal((await accounts.change("anna", { totp: false })).totp, false);
    const { secret, codes } = await enable(people, "anna");
    await add(people, "bob");
    await accounts.remove("anna", { purge: true });
    const { id: next } = await add(people, "anna");
    assert.equal((await accounts.get("anna")).totp, false);
    for (const code of [codeAt(secret, Date.now()), codes[0]]) {
      assert.equal(await factors.use(next, code), false);
    }
  });

  test(
    "each change has a record with its actor, and an event, without secrets",
    async (people, { events }) => {
      const { accounts, audit, factors } = people;
      await events.configure([{ name: "all", commitsOnly: false }]);
      await add(people, "Anna");
      const before = await login(people, "anna");
      const { secret, codes } = await enable(people, "anna");
      const anna = await login(people, "anna");
      const refused = { secret, code: "000000", recovery: [] };
      await factors.enable(before, refused, by);
      await factors.enable(anna, refused, by);
      const digests = newRecoveryCodes().map(recoveryDigest);
      await factors.setRecoveryCodes(anna, digests, by);
      await factors.disable(anna, by);
      await factors.disable(anna, by); // there is none any more
      await factors.setRecoveryCodes(anna, digests, by);
      await factors.enable(anna, refused, by);
      await enable(people, "anna");
      await accounts.change("anna", { totp: false });

      const records = (await audit.list({ limit: 100 })).toReversed().slice(1);
      assert.deepEqual(records.map(({ event, account }) => `${event} ${account}`), [
        ...Array(5).fill("account-changed Anna"),
      ]);
      assert.deepEqual(records.map(({ details }) => details), [
        { totp: { from: false, to: true } },
        { recoveryCodes: true },
        { totp: { from: true, to: false } },
        { totp: { from: false, to: true } },
        { totp: { from: true, to: false } },
      ]);
      for (const record of records.slice(0, 4)) assert.deepEqual(record.by, by);
      const facts = (await events.list({}, 100)).map(({ facts }) => JSON.parse(facts)).slice(1);
      assert.deepEqual(facts.map(({ event, account, changed }) => [event, account, changed]), [
        ["account-changed", "Anna", ["totp"]],
        ["account-changed", "Anna", ["recoveryCodes"]],
        ["account-changed", "Anna", ["totp"]],
        ["account-changed", "Anna", ["totp"]],
        ["account-changed", "Anna", ["totp"]],
      ]);
      const text = JSON.stringify([records, facts]);
      for (const hidden of [secret, ...codes, ...digests, ...codes.map(recoveryDigest)]) {
        assert.ok(!text.includes(hidden));
      }
    },
  );

  test("the database has no recovery code", async (people, storage) => {
    await add(people, "anna");
    const { codes } = await enable(people, "anna");
    const rows = await storage.rows();
    for (const code of codes) {
      assert.ok(!rows.includes(code) && !rows.includes(code.replaceAll("-", "")));
    }
  });

  test("a ticket is valid at every worker, as it was made", async (people, storage) => {
    const { factors } = await storage.connect();
    const ticket = await people.factors.makeTicket("anna");
    assert.equal(await factors.openTicket(ticket), "anna");
    const [body, signed] = ticket.split(".");
    for (const other of ["", ".", body, `${body}.`, `A${body}.${signed}`, `${body}.A${signed}`]) {
      assert.equal(await factors.openTicket(other), undefined, other);
    }
  });
}
