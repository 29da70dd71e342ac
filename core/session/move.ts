/**
 * Renaming a file or a folder: one step for every reader, and for a crash.
 *
 * Partial uploads into a folder follow it, with what they have reserved, and can be continued under
 * its new name. Those under way end with `no-directory` at the next byte, and are kept there as
 * partial uploads. One whose account can't reach the new place, another's home, is dropped.
 */
import { moveUploads } from "../local/move_uploads.ts";
import { BargeError, typed } from "../error.ts";
import { isWithin } from "../storage/path.ts";
import { type Place, relative } from "../storage/place.ts";
import { changeable, checkTake, checkTakeStill, checkWrite, type When } from "../login/access.ts";
import { discardDropped } from "../local/partial_upload.ts";
import type { Session } from "../login/session.ts";
import type { Store } from "../local/store.ts";
import { look } from "../local/look.ts";
import { LocalView } from "../local/view.ts";

export interface MoveOptions {
  /** Whether a folder may replace an empty one, as in POSIX. Default: false. */
  readonly overEmpty?: boolean;
}

/**
 * @throws {BargeError} `not-found`, `no-directory`, `exists`, `denied`; `over-quota` when an upload
 *   under way counts on replacing the file, or the account's properties have no room for a longer path
 */
export async function move(
  session: Session,
  from: string,
  to: string,
  overwrite: When,
  { overEmpty = false }: MoveOptions = {},
): Promise<void> {
  const { store } = session;
  const account = session.accountNow();
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
    const now = session.accountNow();
    const { type } = checkTakeStill(session, now, source);
    if (source.space === "public" && target.space === "home" && now.role !== "admin") {
      checkFolders(store, a, now.id);
    }
    if (type === "other") throw new BargeError("denied", "it is neither a file nor a folder");
    if (overEmpty && type === "dir" && store.vault.find(b)?.type === "dir") {
      if (store.vault.isEmpty(b)) return;
      throw new BargeError("exists", "the folder there is not empty", { path: to });
    }
    const replaces = checkWrite(new LocalView(store, look), session, target, overwrite);
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
        store.properties.checkRename(a, b, session.id);
        dropped = store.uploadsAt.uncredit(a);
      },
      disk() {
        store.vault.rename(a, b);
        happened = true;
      },
      ledger() {
        // Settled by `barge verify` already, if it is not open: a second time would forget the target.
        if (!store.intents.done(intent)) return;
        moveUploads(store, a, b, () => store.ledger.rename(a, b));
        store.shares.lose(a);
      },
    });
  } catch (error) {
    // If the rename itself happened, the intent stays: for the next commit, or the next start.
    if (!happened) store.intents.done(intent);
    throw typed(error);
  }
  if (dropped !== undefined) discardDropped(store, [dropped]);
}

/**
 * Others' folders stay where those can reach them: they count as their entries.
 *
 * @throws {BargeError} `denied`
 */
function checkFolders({ folders }: Store, place: Place, account: number): void {
  if (!folders.foreign(place, account)) return;
  throw new BargeError("denied", "a folder that another account made is moved within /public only");
}
