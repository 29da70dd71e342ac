/** Logins by doors whose protocols carry the password. */
import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import { makeVerifier } from "../../../core/protocol/verifier.ts";
import { bounded, enter } from "../../../core/session/enter.ts";
import { Setup } from "./_setup.ts";

const host = "192.0.2.1";

async function setupWithPassword(banAfter = 0): Promise<Setup> {
  const setup = new Setup({ banAfter });
  for (const name of ["anna", "bob"]) {
    setup.user(name);
    setup.store.accounts.change(name, { verifier: await makeVerifier("password", "sécret") });
  }
  return setup;
}

/** @returns the delay that the failure was given, in ms */
async function refused(setup: Setup, name: string, secret: string, at = host): Promise<number> {
  let delay = -1;
  const pause = (ms: number) => {
    delay = ms;
    return Promise.resolve();
  };
  await assert.rejects(
    () => enter(setup.store, { name, secret, host: at }, pause),
    (error) =>
      error instanceof BargeError && error.kind === "unauthenticated" &&
      error.message === "wrong name or password",
  );
  return delay;
}

const never = () => Promise.reject(new Error("nothing was to be waited for"));

Deno.test("a password or a token logs in, whichever way its letters are composed", async () => {
  using setup = await setupWithPassword();
  const byPassword = await enter(
    setup.store,
    { name: "anna", secret: "se\u0301cret", host },
    never,
  );
  assert.equal(byPassword.account().name, "anna");
  assert.equal(byPassword.withPassword, true);
  const { token } = await setup.store.tokens.issue(setup.account("anna").id, "cron");
  for (const name of ["anna", ""]) {
    const byToken = await enter(setup.store, { name, secret: token, host }, never);
    assert.equal(byToken.account().name, "anna");
    assert.equal(byToken.withPassword, false);
  }
});

Deno.test("one answer for every reason", async () => {
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

Deno.test("failures count toward the bans that hold at every door", async () => {
  using setup = await setupWithPassword(3);
  for (const delay of [100, 200, 400]) assert.equal(await refused(setup, "anna", "no"), delay);
  assert.equal(await refused(setup, "anna", "sécret"), 5000);
});

Deno.test("a flood is bounded: who can't be served soon is told to come again", async () => {
  using setup = await setupWithPassword();
  const flood = Array.from(
    { length: 80 },
    () =>
      enter(setup.store, { name: "anna", secret: "wrong", host }, () => Promise.resolve()).then(
        () => "ok",
        (error) => (error as BargeError).kind,
      ),
  );
  const kinds = await Promise.all(flood);
  assert.deepEqual([...new Set(kinds)].sort(), ["unauthenticated", "unavailable"]);
  assert.equal(kinds.filter((kind) => kind === "unavailable").length, 80 - 2 - 64);
  await enter(setup.store, { name: "anna", secret: "sécret", host }, never);
});

Deno.test("a login whose client has left is not worked on, and gives its place to another", async () => {
  using setup = await setupWithPassword();
  const pause = () => Promise.resolve();
  const left = new AbortController();
  const reason = new BargeError("unavailable", "the client has left");
  const login = (gone: AbortSignal) =>
    enter(setup.store, { name: "anna", secret: "wrong", host, gone }, pause).then(
      () => "ok",
      (error) => error === reason ? "left" : (error as BargeError).kind,
    );
  const flood = Array.from({ length: 66 }, () => login(left.signal));
  left.abort(reason);
  // The queue is empty at once, so no login is refused because it is full.
  const next = Array.from({ length: 3 }, () => login(new AbortController().signal));
  assert.deepEqual(await Promise.all(next), Array(3).fill("unauthenticated"));
  const kinds = await Promise.all(flood);
  assert.equal(kinds.filter((kind) => kind === "left").length, 64);
  // Those two ran already. Each failure that was worked out counts, and no other.
  assert.equal(kinds.filter((kind) => kind === "unauthenticated").length, 2);
  assert.equal(setup.store.metrics.snapshot().logins.failed, 5);
  assert.equal(await login(left.signal), "left");
});

Deno.test("a login waits in the queue for so long and no longer", async () => {
  const blocked = Promise.withResolvers<void>();
  const running = [1, 2].map(() => bounded(() => blocked.promise));
  const third = bounded(() => Promise.resolve(), undefined, 10);
  await assert.rejects(
    third,
    (error) => error instanceof BargeError && error.kind === "unavailable",
  );
  blocked.resolve();
  await Promise.all(running);
  assert.equal(await bounded(() => Promise.resolve("next")), "next");
});
