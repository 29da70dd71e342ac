/** `barge status --watch`, until it is interrupted. */
import assert from "node:assert/strict";
import { startServer } from "../_server.ts";
import { Home } from "./_barge.ts";

Deno.test("status --watch prints the state again and again, until Ctrl-C ends it with 130", async () => {
  await using server = await startServer({ args: ["--workers", "1"] });
  await using home = new Home();
  const child = home.spawn(["status", "--watch", "1", "--json"], {
    env: {
      BARGE_SERVER: `barge://admin@${server.address}`,
      BARGE_PASSWORD: await server.issueToken("admin"),
    },
  });
  const stderr = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let output = "";
  while (output.split("\n").length <= 2) {
    const { value, done } = await reader.read();
    if (done) throw new Error(await stderr);
    output += value;
  }
  child.kill("SIGINT");
  while (!(await reader.read()).done);
  assert.equal((await child.status).code, 130, await stderr);
  const [first, second] = output.split("\n").slice(0, 2).map((line) => JSON.parse(line));
  assert.equal(first.started, second.started);
  assert.ok(Date.parse(second.now) > Date.parse(first.now));
});
