/** Finds the path that a command's argument means, for the session that is logged in. */
import { BargeError } from "../../error.ts";
import type { Session } from "../../session/session.ts";
import { stat } from "../../session/stat.ts";
import { meant } from "./name.ts";
import { resolve } from "./path.ts";

/**
 * The absolute path that a client means: see {@link resolve} and {@link meant}.
 *
 * @param session undefined before the login: nothing is looked up then
 * @param folder where the client is: absolute
 */
export function locate(session: Session | undefined, folder: string, argument: string): string {
  const path = resolve(folder, argument);
  return session ? meant(path, (path) => isThere(session, path)) : path;
}

/** Does a file, folder or partial upload have that path? */
export function isThere(session: Session, path: string): boolean {
  return at(session, path) !== undefined;
}

/** Is there a file? */
export function isFile(session: Session, path: string): boolean {
  return at(session, path)?.entry?.type === "file";
}

/** Is there a folder? */
export function isFolder(session: Session, path: string): boolean {
  return at(session, path)?.entry?.type === "dir";
}

function at(session: Session, path: string): ReturnType<typeof stat> | undefined {
  try {
    return stat(session, path);
  } catch (error) {
    if (error instanceof BargeError) return undefined;
    throw error;
  }
}
