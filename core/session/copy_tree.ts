/** Copying a folder with all that is in it: a file at a time, each whole or absent. */
import { BargeError } from "../error.ts";
import { copy } from "./copy.ts";
import { list } from "./list.ts";
import { mkdir } from "./mkdir.ts";
import { copyProperties } from "./property.ts";
import type { Session } from "./session.ts";

export interface CopyTreeOptions {
  /** Of a file or folder that could not be copied; the rest is. */
  readonly onFailed: (from: string, to: string, error: BargeError) => void;
  /** Stops it after the file at hand. */
  readonly signal?: AbortSignal;
}

/** After these, no other file will fare better. */
const hopeless = new Set(["over-quota", "no-space", "unauthenticated", "interrupted"]);

/**
 * Copies a folder to where there is nothing.
 *
 * @param deep false: without what is in it
 * @throws {BargeError} as `mkdir`; `usage` for a target inside the source; what no other file would
 *   fare better with (`over-quota`, `no-space`): what is copied by then stays
 */
export async function copyTree(
  session: Session,
  from: string,
  to: string,
  deep: boolean,
  { onFailed, signal }: CopyTreeOptions,
): Promise<void> {
  if (`${to}/`.startsWith(`${from}/`)) {
    throw new BargeError("usage", "a folder can't be copied into itself", { path: to });
  }
  mkdir(session, { verb: "mkdir", path: to, parents: false });
  const [a, b] = [session.locate(from).place, session.locate(to).place];
  if (a && b) await copyProperties(session, a, b);
  if (!deep) return;
  for await (const batch of list(session, from, false)) {
    for (const { name, type } of batch) {
      signal?.throwIfAborted();
      const [source, target] = [`${from}/${name}`, `${to}/${name}`];
      try {
        if (type === "file") await copy(session, source, target, "never", signal);
        else await copyTree(session, source, target, true, { onFailed, signal });
      } catch (error) {
        if (!(error instanceof BargeError) || hopeless.has(error.kind)) throw error;
        if (signal?.aborted) throw error;
        onFailed(source, target, error);
      }
    }
  }
}
