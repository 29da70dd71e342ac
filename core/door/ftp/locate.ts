/** Resolves the arguments of commands to paths, for the session that is logged in. */
import { BargeError } from "../../error.ts";
import type { Session } from "../../login/session.ts";
import { stat } from "../../session/stat.ts";
import { meant } from "./name.ts";
import { resolve } from "./path.ts";

/**
 * Returns the absolute path that a client means: see {@link resolve} and {@link meant}.
 *
 * @param session undefined before the login, when nothing is looked up
 * @param folder the client's working directory, absolute
 */
export function locate(session: Session | undefined, folder: string, argument: string): string {
  const path = resolve(folder, argument);
  return session ? meant(path, (path) => isThere(session, path)) : path;
}

/** Returns whether a file, folder or partial upload has that path. */
export function isThere(session: Session, path: string): boolean {
  return at(session, path) !== undefined;
}

/** Returns whether a path is a file's. */
export function isFile(session: Session, path: string): boolean {
  return at(session, path)?.entry?.type === "file";
}

/** Returns whether a path is a folder's. */
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
