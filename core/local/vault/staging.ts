/**
 * The folder of bytes that have arrived and are not yet a file: `staging/ID`, one for each upload in
 * the ledger (staged.ts), and trees that are on their way out.
 */
import { typed } from "../../error.ts";
import { syncSmall } from "../../disk/sync_file.ts";
import { reached } from "./fault.ts";
import { behind, type Fence } from "./fences.ts";
import type { Place } from "../../storage/place.ts";
import { foundOf, type Vault } from "./vault.ts";

/** The folder, never listed by any door. */
export const stagingDir = "staging";

/** Where an upload's bytes are staged. */
export function stagedPlace(upload: number): Place {
  return { dir: stagingDir, name: String(upload) };
}

/**
 * Stages a small file that has arrived whole. Synchronous but for the sync: for a few pages, handing
 * each call to another thread takes longer than the calls.
 *
 * @param modified milliseconds since 1970, or null to leave the time of the write
 * @param fence the writer's, where another may take the upload over
 * @throws {BargeError} `no-space`; `unavailable` once the fence is raised
 */
export async function stageWhole(
  vault: Vault,
  upload: number,
  bytes: Uint8Array,
  modified: number | null,
  fence?: Fence,
): Promise<{ modified: number; ino: number }> {
  const path = stagedPath(vault, upload);
  const write = (): Deno.FsFile => {
    const file = makeFile(path);
    try {
      for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
      if (modified !== null) {
        const time = new Date(modified);
        file.utimeSync(time, time);
      }
      return file;
    } catch (error) {
      file.close();
      throw error;
    }
  };
  try {
    using file = fence ? behind(fence, write) : write();
    const found = foundOf(file.statSync());
    reached("staged");
    if (vault.durable) await syncSmall(file);
    reached("synced");
    return { modified: found.modified, ino: found.ino };
  } catch (error) {
    throw typed(error, { op: "stage" });
  }
}

/** Makes a staged file, empty: never through a link that somebody has laid there, since it is made exclusively. */
export function makeFile(path: string): Deno.FsFile {
  const options = { read: true, write: true, createNew: true, mode: 0o600 };
  try {
    return Deno.openSync(path, options);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  Deno.removeSync(path, { recursive: true }); // whatever it is, it is not this upload's
  return Deno.openSync(path, options);
}

/** Where it lies on disk. @throws {BargeError} `denied` when the folder for staged bytes is a link to elsewhere */
export function stagedPath(vault: Vault, name: string | number): string {
  vault.needFolder(stagingDir);
  return `${vault.root}/${stagingDir}/${name}`;
}

/** How many bytes are staged; undefined for none. */
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

/** How long nothing was done to what is staged under a name, in ms; undefined when it is gone. */
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
 * Throws away what was removed, without holding up the event loop for a large tree. What can't be
 * deleted is out of every door's sight already, and the next start tries again.
 */
export async function discardTree(vault: Vault, name: string): Promise<void> {
  await Deno.remove(stagedPath(vault, name), { recursive: true }).catch(() => {});
}

/** Throws staged bytes away, or whatever lies there in their place. */
export function discard(vault: Vault, name: string | number): void {
  try {
    Deno.removeSync(stagedPath(vault, name), { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw typed(error, { op: "discard" });
  }
}

/** Yields the names of all that is staged. */
export function* stagedNames(vault: Vault): Generator<string, void, void> {
  for (const { name } of Deno.readDirSync(stagedPath(vault, ""))) yield name;
}

/** Returns the name in staging of a removed file or folder, until it is deleted. */
export function trashName(intent: number): string {
  return `removed-${intent}`;
}
