import assert from "node:assert/strict";

Deno.test("a wait keeps the program alive until it ends", async () => {
  const script = new URL("./_alone.ts", import.meta.url);
  const program = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", script.href],
  });
  const { code, stdout, stderr } = await program.output();
  const text = new TextDecoder();
  assert.equal(text.decode(stderr), "");
  assert.equal(code, 0);
  assert.deepEqual(text.decode(stdout).trim().split("\n"), [
    "false",
    "false",
    "Empty",
    "BrokenBarrierError",
    "false",
    "AbortError",
    "true",
    "called",
  ]);
});
