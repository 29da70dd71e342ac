/**
 * `deno task compile [--out FILE] [--self-extracting]`: makes the executable, dist/barge.
 *
 * It uses `deno compile`, or scripts/pack.ts with `--self-extracting` and if the runtime base of
 * `deno compile` can't be downloaded.
 */
import { dirname, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { compileNative } from "./native.ts";
import { pack } from "./pack.ts";
import { ROOT, say } from "./run.ts";

interface CompileOptions {
  readonly selfExtracting: boolean;
  /** The level of compression of a self-extracting file, 1 to 9. */
  readonly gzipLevel?: number;
}

/** Makes the executable of the program in `root` at `out`, or leaves `out` unchanged. */
export async function compile(
  root: string,
  out: string,
  options: CompileOptions,
): Promise<void> {
  await Deno.mkdir(dirname(out), { recursive: true });
  const part = `${out}.${Deno.pid}.part`;
  try {
    const method = await make(root, part, options);
    await Deno.rename(part, out);
    const { size } = await Deno.stat(out);
    say(`${shown(out)}: ${(size / 1e6).toFixed(1)} MB, ${method}`);
  } finally {
    await Deno.remove(part).catch(() => {}); // after success it is renamed
  }
}

async function make(
  root: string,
  part: string,
  { selfExtracting, gzipLevel }: CompileOptions,
): Promise<string> {
  if (!selfExtracting) {
    const reason = await compileNative(root, part);
    if (reason === undefined) return "by deno compile";
    say(`deno compile cannot download its runtime base: ${reason}`);
    say("making a self-extracting file with the installed runtime instead");
  }
  await pack(root, part, undefined, gzipLevel);
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
