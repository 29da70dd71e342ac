/**
 * Decides how a download is written to a local name. Usually the finished part is renamed over the file
 * that the name's links lead to. Devices, FIFOs and the links in /dev/fd and /proc/self/fd are written in
 * place, since a regular file in their place would cut their readers off.
 */
import { BargeError } from "../../error.ts";
import { localFailure, onLocal } from "../transfer/local_failure.ts";
import { join, parentOf } from "../path.ts";
import type { Client } from "../client.ts";
import { untilClosed } from "./until_closed.ts";

export type LocalTarget =
  /** @property path the name that the finished part takes, links resolved */
  | { readonly type: "file"; readonly path: string }
  /** Standard output under another name, for instance /dev/stdout. */
  | { readonly type: "stdout" }
  /** @property path a device, FIFO or open file that is written in place */
  | { readonly type: "stream"; readonly path: string };

/** The most symbolic links in a chain; Linux has the same limit. */
const maxLinks = 40;

/**
 * Returns how to write to a local name that is not a folder.
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
    const hint = "remove the link, or name the file that it leads to";
    throw new BargeError("exists", "it is a symbolic link to nothing", { path, hint });
  }
  if (end.isFifo || end.isCharDevice) return { type: "stream", path };
  if (end.isSocket || end.isBlockDevice) {
    throw new BargeError("usage", `it is a ${end.isSocket ? "socket" : "block device"}`, {
      path,
      hint: "use - for standard output, and a program that writes there",
    });
  }
  return {
    type: "file",
    path: facts.isSymlink ? onLocal("read", path, () => Deno.realPathSync(path)) : path,
  };
}

/** Returns whether a name means standard output, as `-` and /dev/stdout do. */
export function isStandardOutput(path: string): boolean {
  return path === "-" || openDescriptor(path) === 1;
}

/** Returns whether a name is written in place, so that its bytes can't be written again. */
export function isStream(path: string): boolean {
  try {
    return isStandardOutput(path) || localTarget(path).type !== "file";
  } catch {
    return false; // the download fails with the reason
  }
}

/**
 * Opens a target that {@link localTarget} returned as a stream. The open of a FIFO waits for a
 * reader.
 *
 * @throws {BargeError} the failure to open; why the connection was closed
 */
export async function openStream(path: string, client: Client): Promise<Deno.FsFile> {
  const opening = Deno.open(path, { append: true });
  try {
    return await untilClosed(client)(opening);
  } catch (cause) {
    opening.then((file) => file.close(), () => {/* the cause is thrown */});
    throw localFailure("write", path, cause);
  }
}

/** Returns the descriptor that a name in /dev/fd or /proc leads to; undefined for other names. */
function openDescriptor(path: string): number | undefined {
  let link = path;
  for (let links = 0; links < maxLinks; links++) {
    const match = /^(?:\/dev|\/proc\/(?:self|thread-self|\d+))\/fd\/(\d+)$/.exec(link);
    if (match) return Number(match[1]);
    if (!lstat(link)?.isSymlink) return undefined;
    const next = Deno.readLinkSync(link);
    link = next.startsWith("/") ? next : join(parentOf(link), next);
  }
  return undefined;
}

/** Returns the facts of a name itself; undefined if it is missing or inaccessible. */
export function lstat(path: string, read = Deno.lstatSync): Deno.FileInfo | undefined {
  try {
    return read(path);
  } catch {
    return undefined; // the write that follows fails with the reason
  }
}

/** Returns the facts of the file that a name and its links lead to; undefined as {@link lstat}. */
export function stat(path: string): Deno.FileInfo | undefined {
  return lstat(path, Deno.statSync);
}
