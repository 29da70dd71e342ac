/**
 * Removing: what goes is first renamed into staging, in one step with the ledger, and deleted there
 * at leisure. A crash in between leaves either all of it, or nothing that any door shows.
 */
import { BargeError, typed } from "../error.ts";
import type { Place } from "../vault/place.ts";
import { discard, discardTree, stagingDir } from "../vault/staging.ts";
import { changeable, type Check, checkTake, checkTakeStill, standing } from "./access.ts";
import { refuseUnnamed } from "./omitted.ts";
import type { Session } from "./session.ts";

/** What removed things are called in staging until they are gone. */
export function trashName(intent: number): string {
  return `removed-${intent}`;
}

/**
 * @param recursive also a folder that is not empty
 * @param allowed throws if what is there is not to go; runs under the write lock, too
 * @returns how many files the ledger forgot
 * @throws {BargeError} `not-found`, `exists` (a folder that is not empty), `denied`; `refused` for
 *   a folder with data in it that no door shows; `unavailable` where there is only an upload, and
 *   that is under way
 */
export async function remove(
  session: Session,
  path: string,
  recursive: boolean,
  allowed: Check = () => {},
): Promise<number> {
  const { store } = session;
  const account = session.account();
  const location = session.locate(path);
  const place = changeable(location);
  const there = store.vault.find(place);
  if (!there && store.reservations.unfinished(account.id, place)) {
    if (dropIdle(session, place) > 0) return 0;
    throw new BargeError("unavailable", "it is being uploaded at this moment");
  }
  allowed(standing(store, place));
  await checkTake(session, account, location);
  const folder = there?.type === "dir";
  if (folder && recursive) await refuseUnnamed(store, place);
  if (folder && !recursive && (await store.vault.entries(place)).length > 0) throw notEmpty();
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
        const { type } = checkTakeStill(session, session.account(), location);
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
      },
    });
  } catch (error) {
    // If the rename itself happened, the intent stays: for the next commit, or the next start.
    if (!happened) store.intents.done(intent);
    throw typed(error);
  }
  dropIdle(session, place);
  await discardTree(store.vault, trash.name);
  return forgotten;
}

function notEmpty(): BargeError {
  return new BargeError("exists", "the folder is not empty", { hint: "remove it with -r" });
}

/** Drops one's half-finished uploads to a place or below it. @returns how many */
function dropIdle(session: Session, place: Place): number {
  const { store } = session;
  const ids = store.reservations.dropIdle(session.account().id, place);
  for (const id of ids) discard(store.vault, id);
  return ids.length;
}
