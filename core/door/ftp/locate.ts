/** Resolves the arguments of commands to paths, for the session that is logged in. */
import { posix } from "node:path";
import { BargeError } from "../../error.ts";
import type { Session } from "../../login/session.ts";
import { stat } from "../../session/stat.ts";
import { meant } from "./name.ts";

/**
 * Returns the absolute path that a client means, without `.` and `..` parts: see {@link meant}.
 *
 * @param session undefined before the login, when nothing is looked up
 * @param folder the client's working directory, absolute
 */
export async function locate(
  session: Session | undefined,
  folder: string,
  argument: string,
): Promise<string> {
  const path = posix.resolve(folder, argument);
  return session ? await meant(path, (path) => isThere(session, path)) : path;
}

/** Returns whether a file, folder or partial upload has that path. */
export async function isThere(session: Session, path: string): Promise<boolean> {
  return await typeAt(session, path) !== undefined;
}

/** Returns the type of the entry at a path; undefined if the path is free or can't be read. */
export async function typeAt(
  session: Session,
  path: string,
): Promise<"file" | "dir" | "upload" | undefined> {
  try {
    const { entry } = await stat(session, path);
    return entry?.type ?? "upload";
  } catch (error) {
    if (error instanceof BargeError) return undefined;
    throw error;
  }
}
