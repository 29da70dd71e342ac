/** Creates a folder with all of its files, or not at all. */
import { BargeError, typed } from "../error.ts";
import { foreignOwner, giveTo } from "./owner.ts";
import { createSynced } from "./sync_file.ts";

/**
 * Creates a folder with these files, readable by its owner alone, unless the folder exists. The files
 * are written into a temporary folder, which is then renamed, so that of two processes that do this at
 * once one wins. Files that root makes are given to the owner of the parent folder.
 *
 * @param folder its path; the parent folder must exist
 * @param files their text by their names
 * @throws {BargeError} `fatal` or `no-space` when they can't be written
 */
export async function createFolder(
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const temporary = `${folder}-${crypto.randomUUID()}`;
  const parent = folder.replace(/[^/]*$/, "");
  try {
    const owner = foreignOwner(parent);
    await Deno.mkdir(temporary, { mode: 0o700 });
    for (const [name, text] of Object.entries(files)) {
      await createSynced(`${temporary}/${name}`, text);
      giveTo(owner, `${temporary}/${name}`);
    }
    giveTo(owner, temporary);
    await sync(temporary);
    await Deno.rename(temporary, folder);
    await sync(parent);
  } catch (cause) {
    await Deno.remove(temporary, { recursive: true }).catch(() => {/* it was never made */});
    if (await holds(folder, Object.keys(files))) return; // another process was faster
    const { kind, message } = typed(cause);
    const facts = { op: "make", path: folder, cause };
    throw new BargeError(kind === "no-space" ? kind : "fatal", message, facts);
  }
}

async function sync(folder: string): Promise<void> {
  if (Deno.build.os === "windows") return; // Windows can't open a folder
  using file = await Deno.open(folder);
  await file.sync();
}

async function holds(folder: string, names: readonly string[]): Promise<boolean> {
  try {
    for (const name of names) await Deno.lstat(`${folder}/${name}`);
    return true;
  } catch {
    return false;
  }
}
