/** Passwords that an older barge stored with costs that the client had chosen. */
import assert from "node:assert/strict";
import { Database } from "../../../core/local/database/database.ts";
import { barge, startServer } from "../../_server.ts";
import { Peer } from "./_peer.ts";

Deno.test("a password with other scrypt costs is refused and logged, until the operator sets a new one", async () => {
  await using server = await startServer({ args: ["--workers", "1"] });
  await server.addUser("anna");
  {
    using db = new Database(server.data);
    db.run("UPDATE account SET n = 16384 WHERE name = 'anna'");
  }
  using peer = await Peer.open(server.address);
  const refused = await peer.prove("anna", "anna-secret");
  assert.equal((refused.error as { kind: string }).kind, "unauthenticated");
  await server.said("was set with scrypt costs n=16384 r=8 p=1");
  await server.said("barge user passwd anna");
  const { code, stderr } = await barge(["user", "passwd", "anna", "--data", server.data], {
    env: { BARGE_PASSWORD: "anna-secret" },
  });
  assert.equal(code, 0, stderr);
  using again = await Peer.open(server.address, "anna");
  await again.ask({ verb: "quota" });
});
