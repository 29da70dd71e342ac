import { cp } from "node:fs/promises";
import { join } from "node:path";
import { commitOf } from "./commit.ts";

/** The files and folders of the program, in the checkout. */
const program = ["deno.json", "deno.lock", "main.ts", "cmd", "core"];

/** A copy of the program's source that names its commit. */
export interface StagedSource extends AsyncDisposable {
  readonly root: string;
}

/**
 * Copies the program in `root` to a temporary folder, with its commit in `cmd/_commit.ts`. The checkout stays
 * as it is. Dispose the copy after the build.
 */
export async function stageSource(root: string): Promise<StagedSource> {
  const folder = await Deno.makeTempDir({ prefix: "barge-source-" });
  const remove = () => Deno.remove(folder, { recursive: true });
  try {
    for (const name of program) {
      await cp(join(root, name), join(folder, name), { recursive: true }).catch(ignoreMissing);
    }
    const { name } = await commitOf(root);
    const text = `export const commit: string | undefined = ${JSON.stringify(name)};\n`;
    await Deno.writeTextFile(join(folder, "cmd/_commit.ts"), text);
  } catch (error) {
    await remove();
    throw error;
  }
  return { root: folder, [Symbol.asyncDispose]: remove };
}

/** The program of a test need not have all of these. */
function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
