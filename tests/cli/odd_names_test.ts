/** Names with control characters in the client's output, for people and for programs. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { lines } from "./_barge.ts";
import { loggedIn } from "./_logged_in.ts";

/** Runs a command line with a terminal for all three streams, and returns the terminal's text. */
const onTerminal = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";
const names = ["a\x1b[2Jb", "c\nfake\nnames", "d\r\re", 'f"\\n', "g\u009b31m", "h\u202egpj"];
// deno-lint-ignore no-control-regex
const obeyed = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]/;

Deno.test("control characters in names do not reach the terminal, and line ends in names add no line", async () => {
  await using all = await loggedIn();
  const { home } = all;
  const tree = `${home.path}/t`;
  await Deno.mkdir(`${tree}/sub\x1b]0;x\x07`, { recursive: true });
  for (const name of names) await Deno.writeTextFile(`${tree}/${name}`, name);
  assert.equal((await home.barge(["put", "-r", "t", "/home/"])).code, 0);
  await Deno.remove(tree, { recursive: true });
  const exact = lines(await home.barge(["ls", "--json", "/home/t"])).map(({ name }) => name);
  assert.deepEqual(exact.toSorted(), [...names, "sub\x1b]0;x\x07"].sort());
  for (const args of [["ls", "/home/t"], ["ls", "-l", "/home/t"], ["ls", "-r", "/home/t"]]) {
    const { stdout } = await home.barge(args);
    assert.equal(stdout.split("\n").length, names.length + 2, stdout);
    assert.match(stdout, /c\\nfake\\nnames\n/);
    assert.doesNotMatch(stdout, /\r/);
  }
  const sums = await home.barge(["shell"], { stdin: "digest '/home/t/f\"\\n'\n" });
  const digest = createHash("sha256").update(names[3]).digest("hex");
  assert.equal(sums.stdout, `\\${digest}  /home/t/f"\\\\n\n`);
  for (
    const args of [
      ["ls", "/home/t"],
      ["ls", "-lr", "/home/t"],
      ["stat", `/home/t/${names[0]}`],
      ["get", "-r", "--dry-run", "/home/t", "."],
      ["ls", `/home/t/none${names[0]}`],
      ["rm", `/home/t/none${names[0]}`],
    ]
  ) {
    const { stdout } = await home.barge(args, { under: ["python3", "-c", onTerminal] });
    assert.ok(stdout.includes("a\\e[2Jb"), `${args.join(" ")}: ${stdout}`);
    // The progress line has control characters of its own.
    const own = stdout.replaceAll("\x1b[K", "").replaceAll("\x1b[?25l", "");
    assert.doesNotMatch(own, obeyed, JSON.stringify(args));
  }
});
