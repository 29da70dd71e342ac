/** Logins at the web page, and partial uploads there. */
import assert from "node:assert/strict";
import { resumableUploads } from "../../../core/upload/partial_upload.ts";
import { mkdir } from "../../../core/session/mkdir.ts";
import {
  beginWebSession,
  endWebSession,
  findWebSession,
  webSessions,
} from "../../../core/login/web_session.ts";
import { begin as beginUpload, bytes, fails, request, Setup, sha256 } from "../_setup.ts";
import { verifierOf } from "../../_passwords.ts";

const host = "192.0.2.1";
const door = "http" as const;
const never = () => Promise.reject(new Error("nothing was to be waited for"));

Deno.test("a web session is found again by its secret, listed, and ended by its owner only", async () => {
  using setup = new Setup();
  const [before, bob] = [setup.user("anna"), setup.user("bob")];
  setup.store.accounts.change("anna", { verifier: await verifierOf("anna-secret") });
  await fails("unauthenticated", () => webSessions(before));
  const anna = setup.login("anna");
  const credentials = { name: "anna", secret: "anna-secret", host, door };
  const first = await beginWebSession(setup.store, credentials, "x".repeat(1000), never);
  const second = await beginWebSession(setup.store, credentials, "Firefox", never);
  assert.equal((await findWebSession(setup.store, first, host))?.session.id, anna.id);
  assert.equal((await findWebSession(setup.store, first, host))?.session.withPassword, false);
  assert.equal(await findWebSession(setup.store, `${first}x`, host), undefined);
  const listed = await webSessions(anna);
  assert.deepEqual(listed.map(({ agent, address }) => [agent.length, address]).sort(), [
    [300, host],
    [7, host],
  ]);
  assert.deepEqual(await webSessions(bob), []);
  const { id } = (await findWebSession(setup.store, second, host))!;
  await fails("not-found", () => endWebSession(bob, id));
  await endWebSession(anna, id);
  await fails("not-found", () => endWebSession(anna, id));
  assert.equal(await findWebSession(setup.store, second, host), undefined);
  assert.equal((await findWebSession(setup.store, first, host))?.session.id, anna.id);
});

Deno.test("an account keeps the fifty web sessions that were used last", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const secrets = Array.from(
    { length: 52 },
    () => setup.store.webSessions.begin(anna.id, { agent: "", address: host }),
  );
  assert.equal((await webSessions(anna)).length, 50);
  const found = await Promise.all(
    secrets.map((secret) => findWebSession(setup.store, secret, host)),
  );
  assert.equal(found.filter((login) => login).length, 50);
  assert.ok(await findWebSession(setup.store, secrets[51], host));
});

Deno.test("partial uploads are listed by path, with the digest of their first bytes", async () => {
  using setup = new Setup();
  const [anna, bob] = [setup.user("anna"), setup.user("bob")];
  await mkdir(anna, { verb: "mkdir", path: "/home/a", parents: false });
  const send = async (path: string, size: number | null, sent: string) => {
    const upload = await beginUpload(anna, request(path, { size, modified: 12_000 }));
    await upload.write(bytes(sent));
    return upload;
  };
  await (await send("/home/a/b.bin", 10, "hello")).detach();
  await (await send("/public/c.bin", 3, "x")).detach();
  const going = await send("/home/going", 9, "now");
  await (await send("/home/unknown", null, "of no known size")).detach();
  assert.deepEqual(await Array.fromAsync(resumableUploads(anna)), [
    {
      path: "/home/a/b.bin",
      size: 10,
      offset: 5,
      modified: 12_000,
      begins: { bytes: 5, sha256: sha256("hello") },
    },
    {
      path: "/public/c.bin",
      size: 3,
      offset: 1,
      modified: 12_000,
      begins: { bytes: 1, sha256: sha256("x") },
    },
  ]);
  assert.deepEqual(await Array.fromAsync(resumableUploads(bob)), []);
  await going.drop();
});
