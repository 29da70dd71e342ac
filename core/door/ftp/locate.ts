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
  try {
    stat(session, path);
    return true;
  } catch (error) {
    if (error instanceof BargeError) return false;
    throw error;
  }
}
