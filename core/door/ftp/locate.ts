/** Looks up paths. */
import { BargeError } from "../../error.ts";
import type { Session } from "../../login/session.ts";
import { stat } from "../../session/stat.ts";

/** Returns whether a file, folder or partial upload has that path. */
export async function pathExists(session: Session, path: string): Promise<boolean> {
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
