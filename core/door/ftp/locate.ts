/** Resolves the arguments of commands to paths, for the session that is logged in. */
import { BargeError } from "../../error.ts";
import type { Answer } from "../../protocol/message.ts";
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
export async function locate(
  session: Session | undefined,
  folder: string,
  argument: string,
): Promise<string> {
  const path = resolve(folder, argument);
  return session ? await meant(path, (path) => isThere(session, path)) : path;
}

/** Returns whether a file, folder or partial upload has that path. */
export async function isThere(session: Session, path: string): Promise<boolean> {
  return await at(session, path) !== undefined;
}

/** Returns whether a path is a file's. */
export async function isFile(session: Session, path: string): Promise<boolean> {
  return (await at(session, path))?.entry?.type === "file";
}

/** Returns whether a path is a folder's. */
export async function isFolder(session: Session, path: string): Promise<boolean> {
  return (await at(session, path))?.entry?.type === "dir";
}

async function at(session: Session, path: string): Promise<Answer<"stat"> | undefined> {
  try {
    return await stat(session, path);
  } catch (error) {
    if (error instanceof BargeError) return undefined;
    throw error;
  }
}
