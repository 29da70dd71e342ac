/**
 * Runs the examples of docs/library.md in a project of their own, which imports this checkout by
 * path. An example names its file in its first line; a `text` block after it has its output.
 */
import { equal, ok } from "node:assert/strict";
import { join } from "node:path";
import { ROOT } from "../../scripts/run.ts";
import { caches } from "../_program.ts";
import { startServer } from "../_server.ts";

interface Example {
  readonly file: string;
  readonly code: string;
  /** Undefined: only its types are checked. */
  readonly output: string | undefined;
}

const examples = examplesOf(Deno.readTextFileSync(join(ROOT, "docs/library.md")));

Deno.test("library: the examples of docs/library.md run in another project", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "barge-library-" });
  await using encrypted = await startServer({ args: ["--tls"] });
  await using plain = await startServer();
  for (const server of [encrypted, plain]) await server.addUser("anna", { quota: "1000000" });
  const env = {
    ...caches,
    BARGE_SERVER: `barge://${encrypted.address}`,
    BARGE_FINGERPRINT: encrypted.facts.fingerprint!,
    BARGE_PLAIN_SERVER: `barge://${plain.address}`,
    BARGE_PASSWORD: "anna-secret",
  };
  try {
    Deno.writeTextFileSync(join(folder, "deno.json"), JSON.stringify({ imports: entries() }));
    for (const { file, code } of examples) Deno.writeTextFileSync(join(folder, file), code);
    await t.step("they type-check", async () => {
      const files = examples.map(({ file }) => file);
      const { success, stderr } = await deno(["check", ...files], folder, env);
      ok(success, stderr);
    });
    for (const { file, output } of examples) {
      if (output === undefined) continue;
      await t.step(file, async () => {
        const args = ["run", "--quiet", "--cached-only", "--allow-all", file];
        const { success, stdout, stderr } = await deno(args, folder, env);
        ok(success, stderr);
        equal(stdout, output);
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** The exports of deno.json as the imports of another project. */
function entries(): Record<string, string> {
  const { exports } = JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.json")));
  return Object.fromEntries(
    Object.entries<string>(exports).map(([name, path]) => [join("barge", name), join(ROOT, path)]),
  );
}

function examplesOf(markdown: string): Example[] {
  const blocks = markdown.matchAll(/^```ts\n\/\/ (\S+)\n([^]*?)^```$/gm);
  const examples = Array.from(blocks, (block) => {
    const [all, file, code] = block;
    const rest = markdown.slice(block.index + all.length);
    const output = /^(?:(?!```|#)[^]){0,40}?```text\n([^]*?)^```$/m.exec(rest);
    return { file, code, output: output?.index === 0 ? output[1] : undefined };
  });
  // The example of core/sync, which tests/core/sync/library_test.ts runs.
  const [, code] = /^`main\.ts`:\n\n```ts\n([^]*?)^```$/m.exec(markdown)!;
  return [...examples, { file: "main.ts", code, output: undefined }];
}

async function deno(args: string[], cwd: string, env: Record<string, string>) {
  const command = new Deno.Command(Deno.execPath(), { args, cwd, env, stdin: "null" });
  const { success, stdout, stderr } = await command.output();
  const text = new TextDecoder();
  return { success, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}
