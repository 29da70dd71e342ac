/** A server with one account, and a person who is logged in there. */
import assert from "node:assert/strict";
import { startServer } from "../_server.ts";
import { Home } from "./_barge.ts";

/** The password of anna. */
export const secret = { BARGE_PASSWORD: "anna-secret" };

/** A server with one account, and somebody who is logged in there. */
export async function loggedIn(quota = "none") {
  const server = await startServer({ args: ["--workers", "1"] });
  const home = new Home();
  await server.addUser("anna", { quota });
  const remote = `barge://anna@${server.address}`;
  const { code, stderr } = await home.barge(["login", remote], { env: secret });
  assert.equal(code, 0, stderr);
  return {
    server,
    home,
    remote,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}
