import { referencedFiles } from "./referenced_files.ts";
import { HEAP, PERMISSIONS, UNSTABLE } from "./permissions.ts";
import { finish } from "./run.ts";

/**
 * Compiles the program in `root` to `out` with `deno compile`.
 *
 * @returns undefined, or the reason why the runtime base cannot be downloaded.
 * @throws Error when the program does not compile.
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
    ...[...referencedFiles(root).values()].flatMap((path) => ["--include", path]),
    "--output",
    out,
    "main.ts",
  ], { cwd: root });
  if (code === 0) return undefined;
  // Deno has no exit code for this failure, only the name of its step.
  if (!/setting up base binary/i.test(stderr)) throw new Error(`deno compile failed:\n${stderr}`);
  const reason = /^\s*1: (.*)$/m.exec(stderr)?.[1] ?? "it cannot be set up";
  return reason.replace(/ for url \(.*?\)/, "");
}
