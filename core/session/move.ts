/** Renaming a file or a folder: one step for every reader, and for a crash. */
import { BargeError, typed } from "../error.ts";
import { isWithin } from "../vault/path.ts";
import { relative } from "../vault/place.ts";
import { discard } from "../vault/staging.ts";
import { changeable, checkTake, checkTakeStill, checkWrite, type When } from "./access.ts";
import type { Session } from "./session.ts";

/**
 * @throws {BargeError} `not-found`, `no-directory`, `exists`, `denied`; `over-quota` when an upload
 *   under way counts on replacing the file
 */
export async function move(
  session: Session,
  from: string,
  to: string,
  overwrite: When,
): Promise<void> {
  const { store } = session;
  const account = session.account();
  const source = session.locate(from);
  const target = session.locate(to);
  await checkTake(session, account, source);
  const a = changeable(source);
  const b = changeable(target);
  if (relative(a) === relative(b)) return;
  if (isWithin(target.path, source.path)) {
    throw new BargeError("usage", "a folder can't be moved into itself", { path: from });
  }
  const check = () => {
    const now = session.account();
    const { type } = checkTakeStill(session, now, source);
    if (type === "other") throw new BargeError("denied", "it is neither a file nor a folder");
    const replaces = checkWrite(session, now, target, overwrite);
    if (replaces && type === "dir") {
      throw new BargeError("exists", "a file has that name", { path: to });
    }
  };
  check();
  const intent = await store.commits.enter(() => store.intents.intend("move", a, b));
  let happened = false;
  let dropped: number | undefined;
  try {
    await store.commits.change({
      places: [a, b],
      check() {
        check();
        dropped = store.reservations.uncredit(a);
      },
      disk() {
        store.vault.rename(a, b);
        happened = true;
      },
      ledger() {
        // Settled by `barge verify` already, if it is not open: a second time would forget the target.
        if (!store.intents.done(intent)) return;
        store.ledger.rename(a, b);
        store.shares.lose(a);
      },
    });
  } catch (error) {
    // If the rename itself happened, the intent stays: for the next commit, or the next start.
    if (!happened) store.intents.done(intent);
    throw typed(error);
  }
  if (dropped !== undefined) discard(store.vault, dropped);
}
