/**
 * Putting something in the place of a folder, or a folder in the place of a file: no rename does it
 * in one step. What is there is moved aside, to a hidden name beside it, and removed when its
 * successor is in place; if that fails, it is moved back. A crash in between leaves it there.
 */
import { randomUUID } from "node:crypto";
import { move } from "./move.ts";
import { remove } from "./remove.ts";
import type { Session } from "./session.ts";

/**
 * @param still throws unless it may be replaced now; runs under the write lock
 * @param work puts the successor there
 * @throws {BargeError} as `move`, as `work`
 */
export async function replace<T>(
  session: Session,
  path: string,
  still: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  const aside = `${folder}/.replaced-${randomUUID()}`;
  await move(session, path, aside, still);
  let done: T;
  try {
    done = await work();
  } catch (error) {
    if (isThere(session, path)) await remove(session, path, true);
    await move(session, aside, path, "never");
    throw error;
  }
  await remove(session, aside, true);
  return done;
}

function isThere(session: Session, path: string): boolean {
  const { place } = session.locate(path);
  return place !== undefined && session.store.vault.find(place) !== undefined;
}
