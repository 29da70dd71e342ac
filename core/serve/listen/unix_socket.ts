/**
 * The Unix socket of a door. The supervisor listens, and never accepts; workers accept at duplicates of its
 * descriptor, since a path can be bound only once.
 */
import { dirname } from "node:path";
import { BargeError, typed } from "../../error.ts";
import { descriptorAt, requireDescriptors } from "../../net/descriptor/descriptor.ts";

/** A Unix socket that listens. Disposal removes its file, unless another server has replaced it. */
export interface UnixSocket extends Disposable {
  readonly descriptor: number;
}

/**
 * Listens at a path. The file that a dead server left there is replaced.
 *
 * @param mode the permissions of the file
 * @throws {BargeError} `fatal` when a server listens there; `exists` when the file is no socket; `not-found`
 *   when its folder does not exist; others of the system; `unsupported` on other systems than Linux
 */
export async function listenUnix(path: string, mode: number): Promise<UnixSocket> {
  try {
    requireDescriptors();
    checkFolder(dirname(path));
    await removeStale(path);
    const listener = withMode(mode, () => Deno.listen({ transport: "unix", path }));
    const { ino, dev } = Deno.lstatSync(path);
    return {
      descriptor: descriptorAt(path),
      [Symbol.dispose]() {
        listener.close();
        const left = lstat(path);
        if (left?.ino === ino && left.dev === dev) Deno.removeSync(path);
      },
    };
  } catch (error) {
    throw typed(error, { op: "listen on", path: `unix:${path}` });
  }
}

function checkFolder(folder: string): void {
  if (lstat(folder)) return;
  throw new BargeError("not-found", `the folder ${folder} does not exist`, {
    hint: `make it for the server's user: sudo install -d -o "$USER" ${folder}`,
  });
}

/** Removes the socket of a server that no longer runs. */
async function removeStale(path: string): Promise<void> {
  const found = lstat(path);
  if (!found) return;
  if (!found.isSocket) {
    throw new BargeError("exists", "a file that is no socket has this name", {
      hint: "name another path, or move the file",
    });
  }
  try {
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    const now = lstat(path);
    if (now?.ino === found.ino && now.dev === found.dev) Deno.removeSync(path);
    return;
  }
  throw new BargeError("fatal", "another server listens there");
}

/** Makes a file with exactly these permissions: with a later chmod, others could connect before it. */
function withMode<T>(mode: number, make: () => T): T {
  const former = Deno.umask(0o777 & ~mode);
  try {
    return make();
  } finally {
    Deno.umask(former);
  }
}

function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
