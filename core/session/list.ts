/**
 * Folders, listed in batches so that neither memory nor the event loop is held by a huge one. Listings
 * are sorted by code unit, so the names of a folder are held while it is listed; all else is looked up a
 * batch at a time.
 */
import { BargeError } from "../error.ts";
import type { Entry } from "../protocol/message.ts";
import { type Place, relative } from "../storage/place.ts";
import type { Vault } from "../local/vault/vault.ts";
import { entryOf, folderEntry } from "../local/entry.ts";
import { Omitted } from "../local/omitted.ts";
import type { Session } from "../login/session.ts";
import { look, lookAll } from "../local/look.ts";

const batchSize = 256;

/**
 * Lists a folder, or the one file that is there.
 *
 * @param recursive also what is in its folders, depth first, each folder before what it holds
 * @param omitted counts what can't be shown
 * @returns batches of entries; names are relative to the path
 * @throws {BargeError} `not-found`, `denied`
 */
export async function* list(
  session: Session,
  path: string,
  recursive: boolean,
  omitted: Omitted = new Omitted(),
): AsyncGenerator<Entry[], void, void> {
  session.checkNow();
  const { place } = session.locate(path);
  if (!place) {
    for (const name of ["home", "public"]) {
      yield [folderEntry(name)];
      if (!recursive) continue;
      yield* folder(session, session.locate(`/${name}`).place!, `${name}/`, true, omitted);
    }
    return;
  }
  const { found, row } = look(session.store, place);
  if (found?.type === "dir") {
    yield* folder(session, place, "", recursive, omitted);
  } else if (found?.type === "file") {
    yield [entryOf(place.name, found, row)];
  } else {
    throw new BargeError("not-found", "there is no such file or folder");
  }
}

/**
 * Looks up some names in a folder, for a door that has sorted them in an order of its own.
 *
 * @returns their entries, in the order of the names; without those that are gone
 */
export function entriesNamed(session: Session, path: string, names: readonly string[]): Entry[] {
  const { store } = session;
  const { place } = session.locate(path);
  if (!place) return names.map((name) => folderEntry(name));
  const dir = relative(place);
  return lookAll(store, dir, names, store.ledger.named(dir, names)).flatMap(({ found, row }, i) =>
    !found || found.type === "other" ? [] : [entryOf(names[i], found, row)]
  );
}

async function* folder(
  session: Session,
  place: Place,
  prefix: string,
  recursive: boolean,
  omitted: Omitted,
): AsyncGenerator<Entry[], void, void> {
  const { store } = session;
  const dir = relative(place);
  const names = await namesIn(store.vault, place, prefix, omitted);
  for (let at = 0; at < names.length; at += batchSize) {
    const some = names.slice(at, at + batchSize);
    const rows = store.ledger.named(dir, some);
    let batch: Entry[] = [];
    for (const [i, { found, row }] of lookAll(store, dir, some, rows).entries()) {
      if (!found || found.type === "other") continue; // gone meanwhile, or not to be shown
      batch.push(entryOf(prefix + some[i], found, row));
      if (!recursive || found.type !== "dir") continue;
      yield batch;
      batch = [];
      yield* folder(session, { dir, name: some[i] }, `${prefix}${some[i]}/`, true, omitted);
    }
    if (batch.length > 0) yield batch;
  }
}

/** @param prefix empty for the folder that was asked for: any other may be gone by now */
async function namesIn(
  vault: Vault,
  place: Place,
  prefix: string,
  omitted: Omitted,
): Promise<string[]> {
  try {
    return await vault.names(place, undefined, (name, type) => omitted.add(prefix + name, type));
  } catch (error) {
    if (prefix !== "" && error instanceof BargeError && error.kind === "not-found") return [];
    throw error;
  }
}
