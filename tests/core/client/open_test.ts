import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import { open, parseFingerprint, quota } from "../../../core/client/mod.ts";
import { startServer } from "../../_server.ts";

Deno.test("open accepts certificates by trust", async (t) => {
  await using server = await startServer({ args: ["--tls"] });
  await server.addUser("anna");
  const address = `barge://${server.address}`;
  const credentials = { account: "anna", password: "anna-secret" };
  const knownHosts = `${server.data}/known_hosts`;
  const pin = parseFingerprint(server.facts.fingerprint!);
  const refused = (error: unknown) => error instanceof BargeError && error.kind === "identity";

  await t.step("a self-signed certificate is refused by default", async () => {
    await assert.rejects(open(address, { credentials, tls: true }), refused);
  });

  await t.step("the pinned certificate is accepted, another is refused", async () => {
    await using client = await open(address, {
      credentials,
      trust: { knownHosts: undefined, pin },
    });
    assert.equal((await quota(client)).account, "anna");
    const other = parseFingerprint("SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU");
    await assert.rejects(open(address, { trust: { knownHosts: undefined, pin: other } }), refused);
  });

  await t.step("the first certificate is added to the known hosts once", async () => {
    const pinned: string[] = [];
    const onPinned = (_: string, fingerprint: string) => void pinned.push(fingerprint);
    for (let i = 0; i < 2; i++) {
      await using _client = await open(address, { credentials, trust: { knownHosts, onPinned } });
    }
    assert.deepEqual(pinned, [pin]);
  });

  await t.step("a failed login closes the connection", async () => {
    const wrong = { account: "anna", password: "wrong" };
    await assert.rejects(
      open(address, { credentials: wrong, trust: { knownHosts: undefined, pin } }),
      (error) => error instanceof BargeError && error.kind === "unauthenticated",
    );
  });
});
