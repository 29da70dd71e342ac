/** Mutated conversations and noise: a fixed number here, more by `deno task fuzz`. */
import assert from "node:assert/strict";
import { residentMemory } from "../../../bench/process_memory.ts";
import { barge, startServer } from "../../_server.ts";
import { assertUp, tokenOf } from "./_peer.ts";
import { fuzz } from "./_fuzz.ts";

/** Two isolates come to 180 MiB more when they are busy, and stay there. */
const bound = 256;

Deno.test("whatever it is sent, the server answers, stays small, and keeps its books", async () => {
  await using server = await startServer({ args: ["--durability", "relaxed"] });
  const { address, pid } = server;
  await server.addUser("anna", { quota: "10MB" });
  const token = await tokenOf(address, "anna");
  await assertUp(address);
  const idle = residentMemory(pid);
  const answers = await fuzz({ address, token, seed: 1, cases: 500 });
  for (const kind of ["ok", "protocol", "usage", "not-found", "unauthenticated"]) {
    assert.ok(answers.has(kind), `no case was answered ${kind}`);
  }
  await assertUp(address);
  const grown = residentMemory(pid) - idle;
  assert.ok(grown < bound, `${grown} MiB more`);
  const { code, stdout, stderr } = await barge(["quota", "verify", "--data", server.data]);
  assert.equal(code, 0, stdout + stderr);
  assert.doesNotMatch(server.stderr(), /a bug|"level":"(ERROR|FATAL)"/);
});
