/** core/sync as other projects use it: the examples of docs/library.md, and Node's worker threads. */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const checkout = fileURLToPath(new URL("../../..", import.meta.url));
const page = Deno.readTextFileSync(`${checkout}docs/library.md`);
const nodePackage = "node@22.23.3";
const node = await findNode();
/** Where CI is set, npx and a network are at hand, so a missing Node is a failure there. */
const skipsNode = node === undefined && Deno.env.get("CI") === undefined;
const whyNot = skipsNode ? ` (skipped: no Node 22.18 here, and npx can't get ${nodePackage})` : "";

Deno.test("the example of locks and queues runs in a project of its own", async () => {
  using project = projectOf(["deno.json", "main.ts", "worker.ts"]);
  const args = ["run", "--quiet", "--allow-read", "main.ts"]; // tests/scripts checks its types
  assert.equal(await output(Deno.execPath(), args, project.path), "500500\n");
});

Deno.test({
  name: `the example for Node runs there${whyNot}`,
  ignore: skipsNode,
  async fn() {
    using project = projectOf(["node.ts"]);
    assert.equal(await output(node!, ["node.ts"], project.path), "2000\n");
  },
});

Deno.test({
  name: `every primitive works between Node's threads${whyNot}`,
  ignore: skipsNode,
  async fn() {
    const program = fileURLToPath(new URL("./_node.ts", import.meta.url));
    assert.equal(await output(node!, [program], checkout), "ok\n");
  },
});

/** Writes files of the page into a new folder, with the path of this checkout for `../barge`. */
function projectOf(names: readonly string[]): { readonly path: string } & Disposable {
  const path = Deno.makeTempDirSync({ prefix: "barge-library-" });
  const [, section] = page.split("## Locks and queues across threads\n");
  for (const name of names) {
    const [, content] = section!.split(`\`${name}\`:\n\n`)[1]!.match(/^```\w+\n(.*?)^```$/ms)!;
    Deno.writeTextFileSync(`${path}/${name}`, content!.replaceAll("../barge/", checkout));
  }
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

async function output(program: string, args: readonly string[], cwd: string): Promise<string> {
  const command = new Deno.Command(program, {
    args: [...args],
    cwd,
    signal: AbortSignal.timeout(100_000),
  });
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.equal(code, 0, text(stderr));
  return text(stdout);
}

/** Returns a Node that strips types: the one on the PATH, or one that npx fetches. */
async function findNode(): Promise<string | undefined> {
  const script = "const [a, b] = process.versions.node.split('.');" +
    "if (a > 22 || a == 22 && b >= 18) console.log(process.execPath)";
  for (
    const [program, ...args] of [
      ["node"],
      ["npx", "--yes", `--package=${nodePackage}`, "--", "node"],
    ]
  ) {
    try {
      const path = await output(program!, [...args, "-e", script], dirname(checkout));
      if (path !== "") return path.trim();
    } catch {
      // The next one may be there.
    }
  }
  return undefined;
}
