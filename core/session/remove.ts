/**
 * Removing: what goes is first renamed into staging, in one step with the ledger, and deleted there
 * at leisure. A crash in between leaves either all of it, or nothing that any door shows.
 *
 * With a folder go all uploads into it, of every account, also those under way: in the same step they
 * lose their rows, and so give back what they had reserved; their staged bytes are deleted, and their
 * writers fail with `no-directory` at the next byte. A file that is removed takes its account's
 * partial upload to that path along, but not one that is being written: that makes a file of its own.
 */
import { BargeError, typed } from "../error.ts";
import { discardTree, stagingDir, trashName } from "../local/vault/staging.ts";
import { changeable, type Check, checkTake, checkTakeStill, standing } from "../login/access.ts";
import { discardDropped } from "../local/partial_upload.ts";
import { refuseUnnamed } from "../local/omitted.ts";
import type { Session } from "../login/session.ts";

/**
 * @param recursive also a folder that is not empty
 * @param allowed throws if what is there is not to go; runs under the write lock, too
 * @returns how many files the ledger forgot
 * @throws {BargeError} `not-found`, `exists` (a folder that is not empty), `denied`; `refused` for
 *   a folder with data in it that no door shows
 */
export async function remove(
  session: Session,
  path: string,
  recursive: boolean,
  allowed: Check = () => {},
): Promise<number> {
  const { store } = session;
  const account = session.accountNow();
  const location = session.locate(path);
  const place = changeable(location);
  const there = store.vault.find(place);
  if (!there && store.reservations.unfinished(account.id, place)) {
    const ids = await store.commits.enter(() => store.uploadsAt.drop(account.id, place));
    discardDropped(store, ids);
    if (ids.length > 0) return 0;
  }
  allowed(standing(store, place));
  await checkTake(session, account, location);
  const folder = there?.type === "dir";
  if (folder && recursive) await refuseUnnamed(store, place);
  if (folder && !recursive && !store.vault.isEmpty(place)) throw notEmpty();
  const target = { dir: stagingDir, name: "" };
  const intent = await store.commits.enter(() => store.intents.intend("remove", place, target));
  const trash = { dir: stagingDir, name: trashName(intent) };
  let forgotten = 0;
  let happened = false;
  try {
    await store.commits.change({
      places: [place],
      check() {
        allowed(standing(store, place));
        const { type } = checkTakeStill(session, session.accountNow(), location);
        if (type === "dir" && !recursive && !store.vault.isEmpty(place)) throw notEmpty();
      },
      disk() {
        store.vault.rename(place, trash);
        happened = true;
      },
      ledger() {
        // Settled by `barge verify` already, if it is not open: something new may be there since.
        if (!store.intents.done(intent)) return;
        forgotten = store.ledger.forget(place);
        store.shares.lose(place);
        discardDropped(store, store.uploadsAt.dropIdle(account.id, place));
        // Something new may be there where this is done late.
        if (!store.vault.find(place)) discardDropped(store, store.uploadsAt.dropBelow(place));
      },
    });
  } catch (error) {
    // If the rename itself happened, the intent stays: for the next commit, or the next start.
    if (!happened) store.intents.done(intent);
    throw typed(error);
  }
  await discardTree(store.vault, trash.name);
  return forgotten;
}

function notEmpty(): BargeError {
  return new BargeError("exists", "the folder is not empty", { hint: "remove it with -r" });
}
