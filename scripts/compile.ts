/**
 * `deno task compile [--out FILE] [--self-extracting] [--gzip-level N]`: makes the executable, dist/barge.
 *
 * It uses `deno compile`, or scripts/pack.ts with `--self-extracting` and if the runtime base of
 * `deno compile` can't be downloaded.
 */
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { compileNative } from "./native.ts";
import { pack } from "./pack.ts";
import { stageSource } from "./package/staged_source.ts";
import { ROOT, say } from "./run.ts";

interface CompileOptions {
  readonly selfExtracting: boolean;
  /** The level of compression of a self-extracting file, 1 to 9. */
  readonly gzipLevel?: number;
}

/**
 * Makes the executable of the program in `root` at `out`, or leaves `out` unchanged. The executable names the
 * commit of `root`. The same commit, runtime and tools give the same bytes, in any folder.
 */
export async function compile(
  root: string,
  out: string,
  options: CompileOptions,
): Promise<void> {
  await Deno.mkdir(dirname(out), { recursive: true });
  await using source = await stageSource(root);
  // The executable has its name while it is made, since `deno compile` may record that.
  const folder = await Deno.makeTempDir({ dir: dirname(out), prefix: ".barge-", suffix: ".part" });
  try {
    const part = join(folder, "barge");
    const method = await make(source.root, part, options);
    await Deno.rename(part, out);
    const { size } = await Deno.stat(out);
    say(`${shown(out)}: ${(size / 1e6).toFixed(1)} MB, ${method}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
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
      "gzip-level": { type: "string" },
    },
  });
  try {
    await compile(ROOT, resolve(values.out), {
      selfExtracting: values["self-extracting"],
      gzipLevel: values["gzip-level"] === undefined ? undefined : Number(values["gzip-level"]),
    });
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}
