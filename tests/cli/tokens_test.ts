/** `barge user tokens`. */
import assert from "node:assert/strict";
import { lines } from "./_barge.ts";
import { loggedIn, secret } from "./_logged_in.ts";

Deno.test("user tokens --revoke ends one login of an account, or all of them", async () => {
  await using all = await loggedIn();
  const { home, server, remote } = all;
  const tokens = (...args: string[]) =>
    home.barge(["user", "tokens", "anna", "--json", "--data", server.data, ...args]);
  const [saved] = lines(await tokens());
  const others = [await server.issueToken("anna"), await server.issueToken("anna")];
  const ids = lines(await tokens()).map(({ id }) => id);
  assert.equal(ids.length, 1 + others.length);

  assert.deepEqual(lines(await tokens("--revoke", saved.id)), [{ id: saved.id, revoked: true }]);
  assert.equal((await home.barge(["ls"])).code, 11);
  assert.equal((await tokens("--revoke", saved.id)).code, 4);

  assert.equal((await home.barge(["login", remote], { env: secret })).code, 0);
  assert.equal(lines(await tokens("--revoke", "all")).length, 3);
  assert.deepEqual(lines(await tokens()), []);
  assert.equal((await home.barge(["ls"])).code, 11);
});
