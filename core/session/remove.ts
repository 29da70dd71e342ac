/**
 * Removing: what goes is first renamed into staging, in one step with the ledger, and deleted there
 * at leisure. A crash in between leaves either all of it, or nothing that any door shows.
 */
import { BargeError, typed } from "../error.ts";
import { discard, stagingDir } from "../vault/staging.ts";
import { changeable, checkTake } from "./access.ts";
import type { Session } from "./session.ts";

/** What removed things are called in staging until they are gone. */
export function trashName(intent: number): string {
  return `removed-${intent}`;
}

/**
 * @param recursive also a folder that is not empty
 * @returns how many files the ledger forgot
 * @throws {BargeError} `not-found`, `exists` (a folder that is not empty), `denied`
 */
export async function remove(session: Session, path: string, recursive: boolean): Promise<number> {
  const { store } = session;
  const account = session.account();
  const location = session.locate(path);
  const place = changeable(location);
  const there = store.vault.find(place);
  if (!there && store.reservations.unfinished(account.id, place)) return dropUploads(session, path);
  await checkTake(session, account, location);
  const full = there?.type === "dir" && (await store.vault.names(place)).length > 0;
  if (full && !recursive) {
    throw new BargeError("exists", "the folder is not empty", { hint: "remove it with -r" });
  }
  const target = { dir: stagingDir, name: "" };
  const intent = await store.commits.enter(() => {
    const id = store.intents.intend("remove", place, target);
    return id;
  });
  const trash = { dir: stagingDir, name: trashName(intent) };
  let forgotten = 0;
  try {
    await store.commits.change([place.dir], () => {
      store.vault.rename(place, trash);
      forgotten = store.ledger.forget(place);
      store.intents.done(intent);
    });
  } catch (error) {
    // If the rename itself happened, the intent stays for the next start to settle.
    if (store.vault.find(place)) store.intents.done(intent);
    throw typed(error);
  }
  discard(store.vault, trash.name);
  dropUploads(session, path);
  return forgotten;
}

/** Drops the half-finished uploads to a path or below it, whoever's home it is in. */
function dropUploads(session: Session, path: string): number {
  const { store } = session;
  const ids = store.reservations.dropIdle(session.account().id, session.locate(path).place!);
  for (const id of ids) discard(store.vault, id);
  return 0;
}
