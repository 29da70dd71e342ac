/** The answer to a failed login reveals nothing, neither by its text nor by its time. */
import assert from "node:assert/strict";
import type { Mechanism } from "../../../core/protocol/scram.ts";
import { nonce, prove } from "../../../core/protocol/scram.ts";
import { BargeError } from "../../../core/error.ts";
import { challenge } from "../../../core/login/login.ts";
import { Setup } from "../_setup.ts";
import { quickProof, verifierOf } from "../../_passwords.ts";

const wrong = "A".repeat(43) + "=";
const host = "192.0.2.1";

/** Begins a login and sends a proof. @returns the delay of the failure's answer, in ms */
async function fail(setup: Setup, account: string, at = host, proof = wrong): Promise<number> {
  const request = { verb: "auth", mechanism: "password", account, nonce: nonce() } as const;
  let delay = -1;
  await assert.rejects(
    (await challenge(setup.store, request, at)).prove(proof, (ms) => {
      delay = ms;
      return Promise.resolve();
    }),
    (error) =>
      error instanceof BargeError && error.kind === "unauthenticated" &&
      error.message === "wrong name or password",
  );
  return delay;
}

/** Logs in with a secret. */
async function log(setup: Setup, account: string, secret: string, mechanism: Mechanism, at = host) {
  const request = { verb: "auth", mechanism, account, nonce: nonce() } as const;
  const begun = await challenge(setup.store, request, at);
  const { nonce: serverNonce, salt, n, r, p } = begun.answer;
  const exchange = { mechanism, account, clientNonce: request.nonce, serverNonce, salt, n, r, p };
  const proof = quickProof(secret, exchange) ?? (await prove(secret, exchange)).proof;
  return await begun.prove(proof, () => Promise.resolve());
}

async function withPassword(setup: Setup, name: string): Promise<void> {
  setup.user(name);
  setup.store.accounts.change(name, { verifier: await verifierOf("anna-secret") });
}

Deno.test("known, unknown and disabled names cost the same work and the same delay", async () => {
  using setup = new Setup({ banAfter: 0 });
  for (const name of ["anna", "bob", "off"]) setup.user(name);
  setup.store.accounts.change("off", { disabled: true });
  // The verifier of an unknown name is derived for every name, so that its time reveals nothing.
  const derived: string[] = [];
  const { logins } = setup.store.people;
  const decoy = logins.decoy.bind(logins);
  logins.decoy = (name) => {
    derived.push(name);
    return decoy(name);
  };
  const names = ["anna", "bob", "off", "nobody", "no/name"];
  const rounds = 8;
  const delays = names.map(() => [] as number[]);
  for (let i = 0; i < rounds; i++) {
    for (const [at, name] of names.entries()) {
      delays[at].push(await fail(setup, name, `10.0.${at}.${i % 2}`));
    }
  }
  assert.deepEqual(derived, Array(rounds).fill(names).flat());
  for (const [at, name] of names.entries()) assert.deepEqual(delays[at], delays[0], name);
});

Deno.test("a banned client is refused also with the right password, with the same answer", async () => {
  using setup = new Setup({ banAfter: 3 });
  await withPassword(setup, "anna");
  const { token } = await setup.store.tokens.issue(setup.account("anna").id, "cron");
  const [, id, secret] = /^barge_([^_]+)_(.+)$/.exec(token!)!;
  assert.deepEqual(
    [await fail(setup, "anna"), await fail(setup, "anna"), await fail(setup, "anna")],
    [100, 200, 400],
  );
  const told = (error: unknown) =>
    error instanceof BargeError && error.kind === "unauthenticated" &&
    error.message === "wrong name or password";
  await assert.rejects(() => log(setup, "anna", "anna-secret", "password"), told);
  await assert.rejects(() => log(setup, id, secret, "token"), told, "the address is banned");
  assert.equal(await fail(setup, "anna"), 5000);
  await assert.rejects(() => log(setup, "anna", "anna-secret", "password", "192.0.2.99"), told);
  // Logins from loopback, and with a token from elsewhere, still succeed.
  assert.equal(
    (await log(setup, "anna", "anna-secret", "password", "127.0.0.1")).answer.account,
    "anna",
  );
  assert.equal((await log(setup, id, secret, "token", "192.0.2.99")).answer.account, "anna");
  // There the account is at home from then on.
  assert.equal(
    (await log(setup, "anna", "anna-secret", "password", "192.0.2.99")).answer.role,
    "user",
  );
  setup.store.bans.lift("anna");
  setup.store.bans.lift(host);
  assert.equal((await log(setup, "anna", "anna-secret", "password")).answer.account, "anna");
});

Deno.test("a successful login resets the count", async () => {
  using setup = new Setup({ banAfter: 3 });
  await withPassword(setup, "anna");
  for (let i = 0; i < 3; i++) {
    assert.equal(await fail(setup, "anna"), 100);
    assert.equal(await fail(setup, "anna"), 200);
    await log(setup, "anna", "anna-secret", "password");
  }
});

Deno.test("a failure is recorded before it is answered", async () => {
  using setup = new Setup({ banAfter: 3 });
  setup.user("anna");
  const request = { verb: "auth", mechanism: "password", account: "anna", nonce: nonce() } as const;
  const open = Promise.withResolvers<void>();
  const all = [1, 2, 3].map(async () => {
    const begun = await challenge(setup.store, request, host);
    const paused = Promise.withResolvers<void>();
    const refused = begun.prove(wrong, () => {
      paused.resolve();
      return open.promise;
    });
    await paused.promise;
    return { refused };
  });
  const begun = await Promise.all(all);
  assert.equal(setup.store.bans.list().length, 2);
  open.reject(new BargeError("unavailable", "left"));
  for (const { refused } of begun) await assert.rejects(refused, /left/);
});

Deno.test("a failure that can't be recorded bans nobody, and delays the answer", async () => {
  using setup = new Setup();
  await withPassword(setup, "anna");
  setup.store.bans.failed({ account: undefined, name: "x", mechanism: "password", host });
  setup.store.db.run("PRAGMA query_only = 1"); // as a full disk would have it
  assert.equal(await fail(setup, "anna"), 5000);
  assert.equal((await log(setup, "anna", "anna-secret", "password")).answer.account, "anna");
});
