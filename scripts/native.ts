import { filesBeside } from "./beside.ts";
import { HEAP, PERMISSIONS, UNSTABLE } from "./permissions.ts";
import { finish } from "./run.ts";

/**
 * Compiles the program in `root` to `out` with `deno compile`.
 *
 * @returns undefined when done, or, where the runtime base cannot be downloaded, the reason.
 * @throws Error when the program itself does not compile.
 */
export async function compileNative(root: string, out: string): Promise<string | undefined> {
  const { code, stderr } = await finish(Deno.execPath(), [
    "compile",
    "--quiet",
    "--no-check",
    "--no-prompt",
    ...UNSTABLE,
    ...HEAP,
    ...PERMISSIONS,
    ...[...filesBeside(root).values()].flatMap((path) => ["--include", path]),
    "--output",
    out,
    "main.ts",
  ], { cwd: root });
  if (code === 0) return undefined;
  // Deno has no exit code of its own for this; the words are those of its step.
  if (!/setting up base binary/i.test(stderr)) throw new Error(`deno compile failed:\n${stderr}`);
  const reason = /^\s*1: (.*)$/m.exec(stderr)?.[1] ?? "it cannot be set up";
  return reason.replace(/ for url \(.*?\)/, "");
}
