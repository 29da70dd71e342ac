/** A login ends with the secret that it began with, also where that ends at the same moment. */
import assert from "node:assert/strict";
import { logIn } from "../../../core/login/password.ts";
import { changePassword } from "../../../core/login/change_password.ts";
import { quota } from "../../../core/session/quota.ts";
import { stat } from "../../../core/session/stat.ts";
import { token, tokens } from "../../../core/login/token.ts";
import { beginWebSession, findWebSession } from "../../../core/login/web_session.ts";
import type { Session } from "../../../core/login/session.ts";
import { begin as beginUpload, bytes, fails, request, Setup, sha256, verifier } from "../_setup.ts";
import { verifierOf } from "../../_passwords.ts";

const host = "192.0.2.1";
const door = "http" as const;
const never = () => Promise.reject(new Error("nothing was to be waited for"));
const issue = (session: Session) => token(session, { verb: "token", action: "issue", label: "t" });
const revoke = (session: Session, id: string) =>
  token(session, { verb: "token", action: "revoke", id });

/** Logs anna in with a new token. */
async function byToken(setup: Setup, issuer: Session): Promise<{ id: string; session: Session }> {
  const { id, token: secret } = await issue(issuer);
  return {
    id,
    session: await logIn(setup.store, { name: "", secret: secret!, host, door }, never),
  };
}

Deno.test("a login at the page ends with its token, and so do the tokens made there", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const { id, token: secret } = await issue(anna);
  const cookie = await beginWebSession(
    setup.store,
    { name: "anna", secret: secret!, host, door },
    "",
    never,
  );
  const page = (await findWebSession(setup.store, cookie, host))!.session;
  const made = await byToken(setup, page);
  const other = await byToken(setup, anna);
  await quota(made.session);

  await revoke(anna, id);
  for (const session of [page, made.session]) {
    await fails("unauthenticated", () => quota(session));
    await fails("unauthenticated", () => issue(session));
  }
  assert.equal(await findWebSession(setup.store, cookie, host), undefined);
  assert.deepEqual((await tokens(anna)).map((left) => left.id), [other.id]);
  await quota(other.session);
});

Deno.test("a token is not issued by a login that ends meanwhile", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const { id, session } = await byToken(setup, anna);
  const issuing = issue(session);
  await revoke(anna, id);
  await fails("unauthenticated", () => issuing);
  assert.deepEqual(await tokens(anna), []);
});

Deno.test("a login fails if the password is changed while it is checked", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  setup.store.accounts.change("anna", { verifier: await verifierOf("anna-secret") });
  const pause = () => Promise.resolve();
  const entering = logIn(setup.store, { name: "anna", secret: "anna-secret", host, door }, pause);
  setup.store.accounts.change("anna", { verifier });
  await fails("unauthenticated", () => entering);
  await fails("unauthenticated", () => changePassword(anna, verifier));
});

Deno.test("of two uploads that commit together, only the one of an ended login fails", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const { id, session } = await byToken(setup, anna);
  const uploads = await Promise.all(
    [[anna, "/home/a"], [session, "/home/b"]].map(async ([who, path]) => {
      const upload = await beginUpload(who as Session, request(path as string, { size: 4 }));
      await upload.write(bytes("text"));
      return upload;
    }),
  );
  await revoke(anna, id);
  const ends = await Promise.allSettled(uploads.map((one) => one.commit(sha256("text"), true)));
  for (const upload of uploads) await upload.detach();
  assert.deepEqual(ends.map(({ status }) => status), ["fulfilled", "rejected"]);
  const { entry, upload } = await stat(anna, "/home/b");
  assert.deepEqual([entry, upload?.offset], [null, 4], "it can be continued");
});

Deno.test("a new account under an old name gets nothing of the old one", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const { session } = await byToken(setup, anna);
  setup.store.accounts.remove("anna");
  setup.store.accounts.add({ name: "anna", role: "admin", limit: null, verifier, adopt: true });
  for (const old of [anna, session]) await fails("unauthenticated", () => quota(old));
});
