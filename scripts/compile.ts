/**
 * `deno task compile [--out FILE] [--self-extracting]`: makes the one executable, dist/barge.
 *
 * `deno compile` makes it where its runtime base can be downloaded; where it cannot, or by
 * `--self-extracting`, scripts/pack.ts does.
 */
import { dirname, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { compileNative } from "./native.ts";
import { pack } from "./pack.ts";
import { ROOT, say } from "./run.ts";

/** Makes the executable of the program in `root` at `out`: whole, or not at all. */
export async function compile(
  root: string,
  out: string,
  options: { selfExtracting: boolean },
): Promise<void> {
  await Deno.mkdir(dirname(out), { recursive: true });
  const part = `${out}.${Deno.pid}.part`;
  try {
    const how = await make(root, part, options.selfExtracting);
    await Deno.rename(part, out);
    const { size } = await Deno.stat(out);
    say(`${shown(out)}: ${(size / 1e6).toFixed(1)} MB, ${how}`);
  } finally {
    await Deno.remove(part).catch(() => {}); // gone already when all went well
  }
}

async function make(root: string, part: string, selfExtracting: boolean): Promise<string> {
  if (!selfExtracting) {
    const reason = await compileNative(root, part);
    if (reason === undefined) return "by deno compile";
    say(`deno compile cannot download its runtime base: ${reason}`);
    say("making a self-extracting file with the installed runtime instead");
  }
  await pack(root, part);
  return "self-extracting, with the installed runtime";
}

function shown(path: string): string {
  const here = relative(Deno.cwd(), path);
  return here.startsWith("..") ? path : here;
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      out: { type: "string", default: `${ROOT}/dist/barge` },
      "self-extracting": { type: "boolean", default: false },
    },
  });
  try {
    await compile(ROOT, resolve(values.out), { selfExtracting: values["self-extracting"] });
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}
