/**
 * Says how bytes reach a local name: by renaming a finished part over it, or by writing to it.
 *
 * A file that is named is followed through its symbolic links, as cp, scp and curl do: the file at
 * their end is replaced and the links stay. Devices, FIFOs and the links in /dev/fd and /proc/self/fd
 * are written to, since a regular file in their place would cut off whoever reads there.
 */
import { BargeError, typed } from "../error.ts";
import { join, parentOf } from "./target.ts";
import type { UntilClosed } from "./until_closed.ts";

export type LocalTarget =
  /** @property path the name that the finished part takes, links resolved */
  | { readonly type: "file"; readonly path: string }
  /** Standard output under another name, /dev/stdout for instance. */
  | { readonly type: "stdout" }
  /** @property path a device, FIFO or open file that is written to as it is */
  | { readonly type: "stream"; readonly path: string };

/** Symbolic links that are followed one after the other, as many as Linux follows. */
const maxLinks = 40;

/**
 * Finds out how to write to a local name that is no folder.
 *
 * @throws {BargeError} `exists` for a link to nothing, `usage` for a socket or block device
 */
export function localTarget(path: string): LocalTarget {
  const descriptor = openDescriptor(path);
  if (descriptor === 1) return { type: "stdout" };
  const facts = lstat(path);
  if (!facts || facts.isFile) return { type: "file", path };
  if (descriptor !== undefined) return { type: "stream", path };
  const end = facts.isSymlink ? stat(path) : facts;
  if (!end) {
    throw new BargeError("exists", "it is a symbolic link to nothing", {
      path,
      hint: "remove the link, or name the file that it leads to",
    });
  }
  if (end.isFifo || end.isCharDevice) return { type: "stream", path };
  if (end.isSocket || end.isBlockDevice) {
    throw new BargeError("usage", `it is a ${end.isSocket ? "socket" : "block device"}`, {
      path,
      hint: "use - for standard output, and a program that writes there",
    });
  }
  return { type: "file", path: facts.isSymlink ? Deno.realPathSync(path) : path };
}

/** Does this name standard output, as `-` and /dev/stdout do? */
export function isStandardOutput(path: string): boolean {
  return path === "-" || openDescriptor(path) === 1;
}

/**
 * Opens what {@link localTarget} calls a stream. A FIFO is open when somebody reads from it.
 *
 * @throws {BargeError} what the system says; why the connection was closed meanwhile
 */
export async function openStream(path: string, connection: UntilClosed): Promise<Deno.FsFile> {
  const opening = Deno.open(path, { append: true });
  try {
    return await connection.wait(opening);
  } catch (cause) {
    opening.then((file) => file.close(), () => {/* the cause is thrown */});
    throw typed(cause, { op: "write", path });
  }
}

/** The number of the open file that a name leads to, through /dev/fd or /proc; else undefined. */
function openDescriptor(path: string): number | undefined {
  let at = path;
  for (let links = 0; links < maxLinks; links++) {
    const found = /^(?:\/dev|\/proc\/(?:self|thread-self|\d+))\/fd\/(\d+)$/.exec(at);
    if (found) return Number(found[1]);
    if (!lstat(at)?.isSymlink) return undefined;
    const next = Deno.readLinkSync(at);
    at = next.startsWith("/") ? next : join(parentOf(at), next);
  }
  return undefined;
}

/** What a name is, without following it; undefined where nothing is, or nobody may look. */
export function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch {
    return undefined; // writing there says why not
  }
}

/** What a name leads to; undefined where nothing is, or nobody may look. */
export function stat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined; // writing there says why not
  }
}
