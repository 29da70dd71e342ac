/**
 * Putting something in the place of a folder, or a folder in the place of a file: no rename does it
 * in one step. What is there is moved aside, to a hidden name beside it, and removed when its
 * successor is in place; if that fails, it is moved back. A crash in between leaves it there.
 */
import { randomUUID } from "node:crypto";
import { BargeError } from "../error.ts";
import { move } from "./move.ts";
import { refuseUnnamed } from "../local/omitted.ts";
import { remove } from "./remove.ts";
import type { Session } from "../login/session.ts";

/** A name beside a path that nobody has, or looks for. */
export function hiddenBeside(path: string): string {
  return `${path.slice(0, path.lastIndexOf("/"))}/.barge-${randomUUID()}`;
}

/**
 * Moves something to a path that something else has.
 *
 * @param met throws unless that may be replaced now; runs under the write lock
 * @param still the same once more, when it is aside
 * @throws {BargeError} as `move`
 */
export async function replace(
  session: Session,
  from: string,
  to: string,
  met: () => void,
  still: () => void,
): Promise<void> {
  const { store } = session;
  const { place } = session.locate(to);
  if (place && store.vault.find(place)?.type === "dir") await refuseUnnamed(store, place);
  const aside = hiddenBeside(to);
  await move(session, to, aside, met);
  try {
    await move(session, from, to, still);
  } catch (error) {
    await move(session, aside, to, "never").catch((second) => {
      if (!(second instanceof BargeError)) throw second;
      throw second.with({ hint: `what was there is ${aside} now` });
    });
    throw error;
  }
  await remove(session, aside, true);
}
