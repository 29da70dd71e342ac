/** The hint of a refusal for lack of room names `barge grow` only to an account that may use it. */
import assert from "node:assert/strict";
import { startServer } from "../_server.ts";
import { logInto } from "./_logged_in.ts";

Deno.test("grow is suggested only below --max-quota, and only to an unrestricted login", async () => {
  await using server = await startServer({ args: ["--max-quota", "1000"] });
  for (const [name, quota, mayGrow] of [["below", "999", true], ["at", "1000", false]] as const) {
    await using all = await logInto(server, name, quota);
    const { home } = all;
    Deno.mkdirSync(`${home.path}/t`);
    for (const file of ["a", "b"]) {
      Deno.writeFileSync(`${home.path}/t/${file}`, new Uint8Array(2000));
    }
    Deno.writeFileSync(`${home.path}/large`, new Uint8Array(3 << 20));
    const hint = mayGrow
      ? "(remove something, use `barge grow SIZE`, or ask the operator)"
      : "(remove something, or ask the operator for more room)";
    for (
      const [args, stdin] of [
        [["put", "t/a", "/home/a"]],
        [["put", "-r", "t", "/home/"]],
        [["put", "large", "/home/"]],
        [["put", "-", "/home/"], "x".repeat(2000)],
      ] as const
    ) {
      const to = args.map((arg, i) => args[i - 1] === "-" ? "/home/in" : arg);
      const { code, stderr } = await home.barge(to, { stdin });
      assert.equal(code, 12, stderr);
      assert.ok(stderr.includes(`\n${hint}\n`), stderr);
    }
    const grown = await home.barge(["grow", "1000"]);
    assert.equal(grown.code, 0, grown.stderr);
    assert.equal((await home.barge(["grow", "1001"])).code, 6);
    const made = await home.barge(["token", "add", "job", "--path", "/home"]);
    assert.equal(made.code, 0, made.stderr);
    const env = {
      BARGE_SERVER: `barge://${name}@${server.address}`,
      BARGE_PASSWORD: made.stdout.trim(),
    };
    const limited = await home.barge(["put", "large", "/home/"], { env });
    assert.match(limited.stderr, /^\(remove something, or ask the operator for more room\)$/m);
  }
});
