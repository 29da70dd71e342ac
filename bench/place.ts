/** Where a benchmark puts its files. */
import { dirname } from "node:path";
import { makeFolder, mountMemory, removeFolder, unmount } from "./cleanup.ts";

/** The parent folder of the files, removed at the end if the benchmark made it. */
export interface Place extends AsyncDisposable {
  readonly dir: string;
}

/**
 * Returns the named folder, or one in memory, so that the programs are measured and not the disk.
 * Root gets a tmpfs outside of /dev, since barge's workers can't be confined below /dev.
 */
export async function makePlace(requested: string | undefined): Promise<Place> {
  const none = { [Symbol.asyncDispose]: () => Promise.resolve() };
  if (requested !== undefined) return { dir: requested, ...none };
  const dir = await makeFolder("barge-bench-memory-");
  if (await mountMemory(dir)) {
    return {
      dir,
      async [Symbol.asyncDispose]() {
        await unmount(dir);
        await removeFolder(dir);
      },
    };
  }
  await removeFolder(dir);
  return { dir: isFolder("/dev/shm") ? "/dev/shm" : dirname(dir), ...none };
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** Returns the type of a folder's file system. */
export async function kindOf(dir: string): Promise<string> {
  const path = await Deno.realPath(dir);
  const mounts = (await Deno.readTextFile("/proc/mounts").catch(() => "")).split("\n")
    .map((line) => line.split(" "))
    .filter(([, at]) => at && (at === "/" || path === at || path.startsWith(`${at}/`)))
    .sort(([, a], [, b]) => b.length - a.length);
  return mounts[0]?.[2] ?? "a disk";
}

/** Returns whether a folder's files are only in memory, where nothing waits for a disk. */
export async function isInMemory(dir: string): Promise<boolean> {
  return await kindOf(dir) === "tmpfs";
}
