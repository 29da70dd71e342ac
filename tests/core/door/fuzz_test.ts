/** Mutated conversations and noise: a fixed number here; more, and the memory, by `deno task fuzz`. */
import assert from "node:assert/strict";
import { barge, startServer } from "../../_server.ts";
import { assertUp } from "./_peer.ts";
import { fuzz } from "./_fuzz.ts";

Deno.test("whatever it is sent, the server answers, and keeps its books", async () => {
  await using server = await startServer({ args: ["--durability", "relaxed"] });
  const { address } = server;
  await server.addUser("anna", { quota: "10MB" });
  const token = await server.issueToken("anna");
  const answers = await fuzz({ address, token, seed: 1, cases: 250 });
  for (const kind of ["ok", "protocol", "usage", "not-found", "unauthenticated"]) {
    assert.ok(answers.has(kind), `no case was answered ${kind}`);
  }
  await assertUp(address);
  const { code, stdout, stderr } = await barge(["quota", "verify", "--data", server.data]);
  assert.equal(code, 0, stdout + stderr);
  assert.doesNotMatch(server.stderr(), /a bug|"level":"(ERROR|FATAL)"/);
});
