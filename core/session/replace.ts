/**
 * Replaces a folder, or replaces a file with a folder, which no rename can do in one step. The old entry is
 * first renamed to a hidden name in the same folder, and removed when the new entry is in place. If the
 * move of the new entry fails, the old entry gets its name back. After a crash, the old entry may still have
 * the hidden name.
 */
import { randomUUID } from "node:crypto";
import { BargeError } from "../error.ts";
import { needChange } from "../login/access.ts";
import type { Session } from "../login/session.ts";
import type { Condition } from "../storage/view.ts";
import { copyTree, type CopyTreeOptions } from "./copy.ts";
import { move } from "./move.ts";
import { refuseUnnamed } from "./omitted.ts";
import { remove } from "./remove.ts";

/** Returns an unused name beside a path. */
export function hiddenBeside(path: string): string {
  return `${path.slice(0, path.lastIndexOf("/"))}/.barge-${randomUUID()}`;
}

/**
 * Moves a file or folder to a path that another entry has.
 *
 * @param mayReplace throws unless the old entry may be replaced
 * @param mayMove throws unless `from` may be moved, when the old entry has its hidden name
 * @throws {BargeError} as `move`
 */
export async function replace(
  session: Session,
  from: string,
  to: string,
  mayReplace: Condition,
  mayMove: Condition,
): Promise<void> {
  const { tree } = session.store;
  const { place } = session.locate(to);
  if (place && (await tree.entry(place))?.type === "dir") await refuseUnnamed(tree, place);
  const aside = hiddenBeside(to);
  await move(session, to, aside, (_, view) => mayReplace(view));
  try {
    await move(session, from, to, (_, view) => mayMove(view));
  } catch (error) {
    await move(session, aside, to, "never").catch((second) => {
      if (!(second instanceof BargeError)) throw second;
      throw second.with({ hint: `the replaced entry is at ${aside} now` });
    });
    throw error;
  }
  await remove(session, aside, true);
}

/**
 * Copies a file or folder to a path that another entry has. The copy has a hidden name until it is complete.
 *
 * @param aside the hidden name of the copy: see {@link hiddenBeside}
 * @param mayReplace, mayMove as for {@link replace}
 * @throws {BargeError} as {@link copyTree} and {@link replace}
 */
export async function replaceByCopy(
  session: Session,
  from: string,
  to: string,
  aside: string,
  { mayReplace, mayMove, ...options }: CopyTreeOptions & {
    readonly mayReplace: Condition;
    readonly mayMove: Condition;
  },
): Promise<void> {
  // A token that can only add could not remove the copy again.
  needChange(session);
  try {
    await copyTree(session, from, aside, "never", options);
    await replace(session, aside, to, mayReplace, mayMove);
  } catch (error) {
    const { place } = session.locate(aside);
    if (place && await session.store.tree.entry(place)) await remove(session, aside, true);
    throw error;
  }
}
