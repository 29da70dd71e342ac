/** Logins by doors whose protocols carry the password. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { BargeError } from "../../../core/error.ts";
import { costs, nonce } from "../../../core/protocol/scram.ts";
import type { Costs } from "../../../core/protocol/stretch.ts";
import { matches } from "../../../core/protocol/verifier.ts";
import { logIn } from "../../../core/login/password.ts";
import { challenge } from "../../../core/login/login.ts";
import { verifierOf } from "../../_passwords.ts";
import { Setup } from "../_setup.ts";

const host = "192.0.2.1";
const door = "http" as const;

async function setupWithPassword(banAfter = 0): Promise<Setup> {
  const setup = new Setup({ banAfter });
  for (const name of ["anna", "bob"]) {
    setup.user(name);
    setup.store.accounts.change(name, { verifier: await verifierOf("sécret") });
  }
  return setup;
}

/** @returns the delay of the failure's answer, in ms */
async function refused(setup: Setup, name: string, secret: string, at = host): Promise<number> {
  let delay = -1;
  const pause = (ms: number) => {
    delay = ms;
    return Promise.resolve();
  };
  await assert.rejects(
    () => logIn(setup.store, { name, secret, host: at, door }, pause),
    (error) =>
      error instanceof BargeError && error.kind === "unauthenticated" &&
      error.message === "wrong name or password",
  );
  return delay;
}

const never = () => Promise.reject(new Error("nothing was to be waited for"));

Deno.test("a client logs in with a password or token, in any Unicode composition", async () => {
  using setup = await setupWithPassword();
  const byPassword = await logIn(
    setup.store,
    { name: "anna", secret: "se\u0301cret", host, door },
    never,
  );
  assert.equal(byPassword.name, "anna");
  assert.equal(byPassword.withPassword, true);
  const { token } = await setup.store.tokens.issue(setup.account("anna").id, "cron");
  for (const name of ["anna", ""]) {
    const byToken = await logIn(setup.store, { name, secret: token, host, door }, never);
    assert.equal(byToken.name, "anna");
    assert.equal(byToken.withPassword, false);
  }
});

Deno.test("every failed login gets the same answer", async () => {
  using setup = await setupWithPassword();
  const { token } = await setup.store.tokens.issue(setup.account("anna").id, "cron");
  for (
    const [name, secret] of [
      ["anna", "wrong"],
      ["nobody", "sécret"],
      ["no/name", "sécret"],
      ["", ""],
      ["anna", ""],
      ["bob", token],
      ["anna", `${token}x`],
      ["anna", "barge_nothing_at-all"],
    ]
  ) assert.ok(await refused(setup, name, secret) > 0, `${name} ${secret}`);
  setup.store.accounts.change("anna", { disabled: true });
  assert.ok(await refused(setup, "anna", "sécret") > 0);
  assert.ok(await refused(setup, "anna", token) > 0);
});

Deno.test("failures count toward the bans of all doors", async () => {
  using setup = await setupWithPassword(3);
  for (const delay of [100, 200, 400]) assert.equal(await refused(setup, "anna", "no"), delay);
  assert.equal(await refused(setup, "anna", "sécret"), 5000);
});

Deno.test("logins beyond the queue are refused, to be tried again", async () => {
  using setup = await setupWithPassword();
  const left = new AbortController();
  const servedCount = 2;
  const flood = Array.from({ length: 80 }, (_, i) => {
    const gone = i < servedCount ? undefined : left.signal;
    return logIn(
      setup.store,
      { name: "anna", secret: "wrong", host, door, gone },
      () => Promise.resolve(),
    )
      .then(() => "ok", (error) => error === "left" ? "left" : (error as BargeError).kind);
  });
  await new Promise((resolve) => setImmediate(resolve)); // by then one runs, and 64 wait
  left.abort("left"); // each that waits costs a derivation
  const kinds = await Promise.all(flood);
  assert.deepEqual(kinds, [
    ...Array(servedCount).fill("unauthenticated"),
    ...Array(1 + 64 - servedCount).fill("left"),
    ...Array(80 - 1 - 64).fill("unavailable"),
  ]);
  await logIn(setup.store, { name: "anna", secret: "sécret", host, door }, never);
});

Deno.test("the login of a client that has left is not derived, and frees its place", async () => {
  using setup = await setupWithPassword();
  const pause = () => Promise.resolve();
  const left = new AbortController();
  const reason = new BargeError("unavailable", "the client has left");
  const login = (gone: AbortSignal) =>
    logIn(setup.store, { name: "anna", secret: "wrong", host, door, gone }, pause).then(
      () => "ok",
      (error) => error === reason ? "left" : (error as BargeError).kind,
    );
  const flood = Array.from({ length: 65 }, () => login(left.signal));
  await new Promise((resolve) => setImmediate(resolve)); // by then one runs, and the others wait
  left.abort(reason);
  // The queue is empty at once, so no login is refused because it is full.
  const next = Array.from({ length: 3 }, () => login(new AbortController().signal));
  assert.deepEqual(await Promise.all(next), Array(3).fill("unauthenticated"));
  const kinds = await Promise.all(flood);
  assert.equal(kinds.filter((kind) => kind === "left").length, 64);
  // The first one ran already. Only failures after a derivation count.
  assert.equal(kinds.filter((kind) => kind === "unauthenticated").length, 1);
  assert.equal(setup.store.metrics.snapshot().logins.failed, 4);
  assert.equal(await login(left.signal), "left");
});

/** Stored keys of "sécret" with other costs, or a salt of 24 bytes, computed with Python's hashlib and hmac. */
const otherCosts = [
  { p: 2, storedKey: "6oakDo6BwNh1/long2jYpw5+Es/H4I164V+jV+RGng4=" },
  { n: 65536, storedKey: "+g+Z49FVL6Q9PNHHCGaczq+zjWXb6o+dJob9/sL8KgQ=" },
  { n: 16384, storedKey: "erhvq2uWvKCEM5V51K61JNfSPZp9ajVD8hL1cUfgRTY=" },
  {
    salt: "bG9uZ2VyIHRoYW4gMTYgYnl0ZXMhISEh",
    storedKey: "16/AaRPjU9ovWYfidipz7WRgyzF6FHBmP3Wv8eOwXyI=",
  },
];

Deno.test("a password that was stored with other costs is refused without a derivation", async () => {
  using setup = await setupWithPassword();
  const { store } = setup;
  const own = await verifierOf("sécret");
  for (const other of otherCosts) {
    const verifier = { ...own, ...other };
    store.accounts.change("anna", { verifier });
    await refused(setup, "anna", "sécret");
    assert.equal(await matches("password", "sécret", verifier), false);
    // The challenge is that of an unknown name, which no proof can meet.
    const begun = await challenge(
      store,
      { verb: "auth", mechanism: "password", account: "anna", nonce: nonce() },
      host,
    );
    assert.deepEqual(costsOf(begun.answer), costs);
  }
});

const costsOf = ({ n, r, p }: Costs): Costs => ({ n, r, p });
