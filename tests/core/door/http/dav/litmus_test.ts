/** Runs litmus, the WebDAV test suite, without a failure or warning. */
import assert from "node:assert/strict";
import { startServer } from "../../../../_server.ts";
import { installed } from "./_tools.ts";

const suites = ["basic", "copymove", "props", "locks", "http"];
const possible = await installed("litmus");
const name = "litmus has nothing to complain about";

Deno.test({
  name: possible ? name : `${name} (skipped: litmus is not installed)`,
  ignore: !possible,
  async fn() {
    await using server = await startServer({ args: ["--http", "127.0.0.1:0", "--workers", "2"] });
    await server.addUser("anna");
    const cwd = await Deno.makeTempDir({ prefix: "barge-litmus-" }); // it writes logs there
    try {
      const { success, stdout } = await new Deno.Command("litmus", {
        args: ["-k", `http://${server.facts.http}/dav/home/`, "anna", "anna-secret"],
        env: { TESTS: suites.join(" ") },
        cwd,
        stdin: "null",
      }).output();
      const said = new TextDecoder().decode(stdout);
      assert.ok(success, said);
      assert.doesNotMatch(said, /FAIL|WARNING|SKIPPED|warnings? /, said);
      for (const suite of suites) {
        const [, run, passed] = new RegExp(
          `summary for .${suite}': of (\\d+) tests run: (\\d+) passed, 0 failed`,
        ).exec(said) ?? [];
        assert.ok(Number(run) > 0 && run === passed, `${suite}: ${said}`);
      }
    } finally {
      await Deno.remove(cwd, { recursive: true });
    }
  },
});
