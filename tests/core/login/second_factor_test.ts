/** The second factor at a login: which failures count, what is revealed, and what a required factor refuses. */
import assert from "node:assert/strict";
import { BargeError, type Kind } from "../../../core/error.ts";
import { logInByTicket, loginTicket } from "../../../core/login/login_ticket.ts";
import { logIn } from "../../../core/login/password.ts";
import { FactorNeeded, type SecondStep } from "../../../core/login/second_factor.ts";
import type { Session } from "../../../core/login/session.ts";
import { disableTotp, enableTotp, totpStatus } from "../../../core/login/totp.ts";
import { beginWebSession, findWebSession } from "../../../core/login/web_session.ts";
import { codeAt, stepMs } from "../../../core/protocol/totp.ts";
import type { Settings } from "../../../core/local/store.ts";
import { list } from "../../../core/session/list.ts";
import { verifierOf } from "../../_passwords.ts";
import { totpSecret } from "../../_server.ts";
import { Setup } from "../_setup.ts";

const host = "192.0.2.1";
const door = "http" as const;
const noPause = () => Promise.resolve();
const code = (steps = 0) => codeAt(totpSecret, Date.now() + steps * stepMs);

/** Opens a data directory with anna, who has a second factor. */
async function withFactor(settings: Partial<Settings> = {}): Promise<Setup> {
  const setup = await withAnna(settings);
  setup.store.db.run("UPDATE account SET totp_secret = ?, totp_step = 0", totpSecret);
  return setup;
}

async function withAnna(settings: Partial<Settings> = {}): Promise<Setup> {
  const setup = new Setup(settings);
  setup.user("anna");
  setup.store.accounts.change("anna", { verifier: await verifierOf("anna-secret") });
  return setup;
}

function enter({ store }: Setup, second: SecondStep, secret = "anna-secret"): Promise<Session> {
  return logIn(store, { name: "anna", secret, host, door, second }, noPause);
}

/** Takes the first step of a login. @returns the ticket for the second */
async function ticketOf(setup: Setup): Promise<string> {
  const needed = await enter(setup, {}).catch((error) => error);
  assert.ok(needed instanceof FactorNeeded, String(needed));
  return await loginTicket(setup.store, needed, host);
}

function byTicket({ store }: Setup, ticket: string, second: SecondStep, at = host) {
  return logInByTicket(store, { ticket, host: at, door, second }, noPause);
}

function failures({ store }: Setup): number {
  return store.db.value("SELECT count(*) FROM failure")!;
}

async function fails(kind: Kind, message: RegExp, work: Promise<unknown>): Promise<BargeError> {
  const error = await work.then(() => undefined, (error) => error);
  assert.ok(error instanceof BargeError, String(error));
  assert.equal(error.kind, kind);
  assert.match(error.message, message);
  return error;
}

Deno.test("a code that comes with a wrong password gets the answer to a wrong code", async () => {
  using setup = await withFactor({ banAfter: 0 });
  const wrong = /^wrong name, password or code$/;
  await fails("unauthenticated", wrong, enter(setup, { code: code() }, "wrong-secret"));
  const wrongCode = await fails("unauthenticated", wrong, enter(setup, { code: "000000" }));
  const wrongPassword = /^wrong name or password$/;
  const noCode = await fails("unauthenticated", wrongPassword, enter(setup, {}, "wrong-secret"));
  await fails("code-needed", /needs a code/, enter(setup, {}));
  const asked = enter(setup, { askCode: () => Promise.resolve("000000") });
  const typed = /^the code is wrong, or was used before$/;
  const wrongTyped = await fails("unauthenticated", typed, asked);
  for (const { hint } of [wrongCode, wrongTyped]) {
    assert.match(hint!, /next .*, and compare the clock of its device with the server's$/);
  }
  assert.equal(noCode.hint, undefined);
  assert.equal(failures(setup), 5);
  const session = await enter(setup, { code: code() });
  assert.equal(session.withPassword, true);
  assert.equal(failures(setup), 0);
});

Deno.test("the audit trail has the door and the reason of a login that fails at its code", async () => {
  using setup = await withFactor({ banAfter: 0 });
  const ticket = await ticketOf(setup);
  const wrong = { askCode: () => Promise.resolve("000000") };
  await fails("unauthenticated", /./, byTicket(setup, ticket, wrong));
  await fails("unauthenticated", /./, byTicket(setup, "no ticket", wrong));
  await fails("unauthenticated", /./, enter(setup, { code: "000000" }, "wrong-secret"));
  const records = await setup.store.people.audit.list({ limit: 10 });
  const failed = records.filter(({ event }) => event === "login-failed").toReversed();
  assert.deepEqual(failed.map(({ details }) => details), [
    { with: "password", why: "the account needs a code of its second factor" },
    { with: "password", why: "the code is wrong, or was used before" },
    { with: "nothing" },
    { with: "password" },
  ]);
  for (const { by } of failed) assert.deepEqual(by, { account: null, address: host, door });
});

Deno.test("the ninth wrong code is followed by a ban, for a right code, too", async () => {
  using setup = await withFactor();
  const ticket = await ticketOf(setup);
  for (let i = 1; i < 9; i++) {
    const askCode = () => Promise.resolve("000000");
    await fails("unauthenticated", /code is wrong/, byTicket(setup, ticket, { askCode }));
  }
  const right = { askCode: () => Promise.resolve(code()) };
  await fails("unauthenticated", /^wrong name or password$/, byTicket(setup, ticket, right));
  await fails("unauthenticated", /./, enter(setup, { code: code() }));
  const banned = (await setup.store.people.logins.bans()).map(({ account }) => account);
  assert.deepEqual(banned.sort(), ["anna", null]);
});

Deno.test("clients that wait at the prompt have no more guesses than others", async () => {
  using setup = await withFactor();
  const ticket = await ticketOf(setup);
  const typed = Promise.withResolvers<void>();
  let waiting = 0;
  const guess = (text: () => string) =>
    byTicket(setup, ticket, {
      askCode: async () => {
        waiting++;
        await typed.promise;
        return text();
      },
    });
  const wrong = Array.from({ length: 30 }, () => guess(() => "000000"));
  const outcomes = Promise.allSettled([...wrong, guess(() => code())]);
  while (waiting < 31) await new Promise((resolve) => setTimeout(resolve));
  typed.resolve();
  assert.ok((await outcomes).every(({ status }) => status === "rejected"));
  assert.equal(failures(setup), 9);
  // The right code was not checked any more.
  await setup.store.people.logins.liftBans("anna");
  await setup.store.people.logins.liftBans(host);
  assert.ok(await enter(setup, { code: code() }));
});

Deno.test("a ticket is for its address, its password and some minutes", async () => {
  using setup = await withFactor({ banAfter: 0 });
  const right = () => ({ askCode: () => Promise.resolve(code()) });
  const ticket = await ticketOf(setup);
  const late = /^the login took too long$/;
  await fails("unauthenticated", late, byTicket(setup, ticket, right(), "192.0.2.2"));
  await fails("unauthenticated", late, byTicket(setup, `${ticket}x`, right()));
  await fails("code-needed", /./, byTicket(setup, ticket, {}));
  setup.store.accounts.change("anna", { verifier: await verifierOf("anna-secret") });
  await fails("unauthenticated", /./, byTicket(setup, ticket, right()));
  assert.ok(await byTicket(setup, await ticketOf(setup), right()));
});

Deno.test("tokens and keys need no code; the second factor is not changed with them", async () => {
  using setup = await withFactor();
  const { token } = await setup.store.tokens.issue(setup.account("anna").id, "cron");
  const session = await enter(setup, {}, token);
  assert.equal((await totpStatus(session)).enabled, true);
  await fails("denied", /with the password, not with a token/, disableTotp(session));
  const factor = { secret: totpSecret, code: code() };
  await fails("denied", /with the password/, enableTotp(session, factor));
});

Deno.test("enabling ends logins with the password alone, and keeps tokens", async () => {
  using setup = await withAnna();
  const { store } = setup;
  const credentials = { name: "anna", secret: "anna-secret", host, door };
  const cookie = await beginWebSession(store, credentials, "browser", noPause);
  const { token } = await store.tokens.issue(setup.account("anna").id, "cron");
  const byToken = await enter(setup, {}, token);
  const before = await enter(setup, {});
  const proof = await enter(setup, { enables: true });
  const factor = { secret: totpSecret, code: code() };
  await fails("usage", /no secret/, enableTotp(proof, { secret: "GEZDGNBV", code: code() }));
  await fails("usage", /not one of this secret/, enableTotp(proof, { ...factor, code: "000000" }));
  assert.ok(await before.holds());
  const { codes, credential } = await enableTotp(proof, factor);
  assert.equal(codes.length, 10);
  assert.ok(!await before.holds() && !await proof.holds() && await byToken.holds());
  assert.equal(await findWebSession(store, cookie, host), undefined);
  proof.credential = credential;
  assert.ok(await proof.holds());
  await fails("exists", /has a second factor/, enter(setup, { enables: true }));
  await fails("unauthenticated", /./, enableTotp(before, factor));
});

Deno.test("a role that requires a second factor refuses every login but that which enables one", async () => {
  using setup = await withAnna({ requireTotp: ["user"] });
  const { store } = setup;
  const { id } = setup.account("anna");
  const needed = /must enable a second factor first/;
  const { token } = await store.tokens.issue(id, "cron");
  await fails("denied", needed, enter(setup, {}));
  await fails("denied", needed, enter(setup, {}, token));
  await fails("unauthenticated", /wrong name or password/, enter(setup, {}, "wrong-secret"));
  const proof = await enter(setup, { enables: true });
  await fails("unauthenticated", needed, proof.account());
  await fails("unauthenticated", needed, Array.fromAsync(list(proof, "/home", false)));
  const { credential } = await enableTotp(proof, { secret: totpSecret, code: code() });
  proof.credential = credential;
  assert.equal((await totpStatus(proof)).required, true);
  const byToken = await enter(setup, {}, token);
  assert.ok(await enter(setup, { code: code(1) }));
  assert.ok(await byToken.holds());
  // An admin removes it: the login is over until there is one again.
  store.accounts.change("anna", { totp: false });
  assert.ok(!await byToken.holds());
  store.accounts.change("anna", { role: "admin" });
  assert.ok(await byToken.holds());
});
