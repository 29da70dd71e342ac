/**
 * Files that are there together or not at all: they are written into a folder of another name, which
 * is then renamed. Of two that do so one wins.
 */
import { BargeError, typed } from "../error.ts";
import { foreignOwner, giveTo } from "./owner.ts";

/**
 * Makes a folder with these files, readable by its owner alone, unless it exists. Files that root
 * makes are given to the owner of the parent folder.
 *
 * @param folder its path; the one above it must be there
 * @param files their names and what is in them
 * @throws {BargeError} `fatal` or `no-space` when they can't be kept
 */
export async function keepTogether(
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const making = `${folder}-${crypto.randomUUID()}`;
  try {
    const owner = foreignOwner(folder.replace(/[^/]*$/, ""));
    await Deno.mkdir(making, { mode: 0o700 });
    for (const [name, text] of Object.entries(files)) {
      await write(`${making}/${name}`, text);
      giveTo(owner, `${making}/${name}`);
    }
    giveTo(owner, making);
    await sync(making);
    await Deno.rename(making, folder);
    await sync(folder.replace(/[^/]*$/, ""));
  } catch (cause) {
    await Deno.remove(making, { recursive: true }).catch(() => {/* it was never made */});
    if (await holds(folder, Object.keys(files))) return;
    const { kind, message } = typed(cause);
    throw new BargeError(kind === "no-space" ? kind : "fatal", message, {
      op: "make",
      path: folder,
      cause,
    });
  }
}

async function write(path: string, text: string): Promise<void> {
  using file = await Deno.open(path, { createNew: true, write: true, mode: 0o600 });
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  await file.sync();
}

async function sync(folder: string): Promise<void> {
  if (Deno.build.os === "windows") return; // folders can't be opened there
  using file = await Deno.open(folder);
  await file.sync();
}

/** Has somebody else been quicker? */
async function holds(folder: string, names: readonly string[]): Promise<boolean> {
  try {
    for (const name of names) await Deno.lstat(`${folder}/${name}`);
    return true;
  } catch {
    return false;
  }
}
