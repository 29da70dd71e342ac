/**
 * The staging folder: the bytes of uploads, `staging/ID` (staged.ts), and removed files and folders
 * until they are deleted.
 */
import { typed } from "../../error.ts";
import { syncSmall } from "../../disk/sync_file.ts";
import { reached } from "../../storage/fault.ts";
import type { Place } from "../../storage/place.ts";
import { foundOf, type Vault } from "./vault.ts";

/** The staging folder in the data directory. */
export const stagingDir = "staging";

/** Returns the place of an upload's staged bytes. */
export function stagedPlace(upload: number): Place {
  return { dir: stagingDir, name: String(upload) };
}

/**
 * Stages a small file that has arrived completely. All calls but the sync are synchronous: for a few pages,
 * handing a call to another thread takes longer than the call itself.
 *
 * @param modified milliseconds since 1970, or null to leave the time of the write
 * @throws {BargeError} `no-space`
 */
export async function stageWhole(
  vault: Vault,
  upload: number,
  bytes: Uint8Array,
  modified: number | null,
): Promise<{ modified: number; ino: number }> {
  try {
    const path = stagedPath(vault, upload);
    using file = makeFile(path);
    for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
    if (modified !== null) {
      const time = new Date(modified);
      file.utimeSync(time, time);
    }
    const found = foundOf(Deno.lstatSync(path)); // faster in a confined runtime than `file.statSync()`
    reached("staged");
    if (vault.durable) await syncSmall(file);
    reached("synced");
    return { modified: found.modified, ino: found.ino };
  } catch (error) {
    throw typed(error, { op: "stage" });
  }
}

/** Makes an empty staged file, in place of any entry of that name; `createNew` follows no link. */
export function makeFile(path: string): Deno.FsFile {
  const options = { read: true, write: true, createNew: true, mode: 0o600 };
  try {
    return Deno.openSync(path, options);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  Deno.removeSync(path, { recursive: true });
  return Deno.openSync(path, options);
}

/** Returns the path on disk of a name in staging. @throws {BargeError} `denied` when staging is a link */
export function stagedPath(vault: Vault, name: string | number): string {
  vault.needFolder(stagingDir);
  return `${vault.root}/${stagingDir}/${name}`;
}

/** Returns the number of bytes that are staged; undefined for none. */
export function stagedSize(vault: Vault, upload: number): number | undefined {
  const found = vault.find(stagedPlace(upload));
  return found?.type === "file" ? found.size : undefined;
}

/** Cuts staged bytes short. @throws {BargeError} `io` and others, as the disk does */
export function trimStaged(vault: Vault, upload: number, size: number): void {
  try {
    Deno.truncateSync(stagedPath(vault, upload), size);
  } catch (error) {
    throw typed(error, { op: "stage" });
  }
}

/** Returns the time since the last change of a name in staging, in ms; undefined when it is gone. */
export function stagedAge(vault: Vault, name: string): number | undefined {
  try {
    const { ctime, mtime } = Deno.lstatSync(stagedPath(vault, name));
    const last = ctime ?? mtime;
    return last ? Date.now() - last.getTime() : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw typed(error, { op: "stage" });
  }
}

/**
 * Deletes a removed file or folder, without holding up the event loop for a large tree. The next start
 * deletes the entries that remain where this fails.
 */
export async function discardTree(vault: Vault, name: string): Promise<void> {
  await Deno.remove(stagedPath(vault, name), { recursive: true }).catch(() => {});
}

/** Deletes a name in staging, whether it is a file or a folder. */
export function discard(vault: Vault, name: string | number): void {
  try {
    Deno.removeSync(stagedPath(vault, name), { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw typed(error, { op: "discard" });
  }
}

/** Yields all names in staging. */
export function* stagedNames(vault: Vault): Generator<string, void, void> {
  for (const { name } of Deno.readDirSync(stagedPath(vault, ""))) yield name;
}

/** Returns the name in staging of a removed file or folder, until it is deleted. */
export function trashName(intent: number): string {
  return `removed-${intent}`;
}
