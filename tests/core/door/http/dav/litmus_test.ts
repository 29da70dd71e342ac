/** Runs litmus, the WebDAV test suite, without a failure or warning. */
import assert from "node:assert/strict";
import { twoNodes } from "../../../../contract/_cluster.ts";
import { type Host, oneMachine } from "../../../../contract/_host.ts";
import { installed } from "./_tools.ts";

const suites = ["basic", "copymove", "props", "locks", "http"];
const possible = await installed("litmus");

for (const host of [oneMachine, twoNodes]) {
  const name = `litmus has nothing to complain about${host.name}`;
  Deno.test({
    name: possible ? name : `${name} (skipped: litmus is not installed)`,
    ignore: !possible || host.missing,
    fn: () => run(host),
  });
}

async function run(host: Host): Promise<void> {
  const args = ["--native", "off", "--http", "127.0.0.1:0"];
  await using server = await host.start(args, { spreadRequests: true });
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
}
