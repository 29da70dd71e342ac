/** Listing folders, in batches, so that a huge one holds neither memory nor the event loop. */
import { BargeError } from "../error.ts";
import type { Entry } from "../protocol/message.ts";
import { type Place, relative } from "../storage/place.ts";
import type { NamedEntry } from "../storage/tree.ts";
import type { Session } from "../login/session.ts";
import { entryOf, folderEntry } from "./entry.ts";
import { Omitted } from "./omitted.ts";
import { stat } from "./stat.ts";

/**
 * Lists a folder, or the one file at the path. Entries of a folder are sorted by code unit.
 *
 * @param recursive also the folders below it, depth first, each folder before its entries
 * @param omitted counts entries that can't be shown
 * @returns batches of entries; names are relative to the path
 * @throws {BargeError} `not-found`, `denied`
 */
export async function* list(
  session: Session,
  path: string,
  recursive: boolean,
  omitted: Omitted = new Omitted(),
): AsyncGenerator<Entry[], void, void> {
  await session.check();
  const name = session.wayIn(path);
  if (name !== undefined) {
    yield* listWay(session, path, name, recursive, omitted);
    return;
  }
  const { place } = session.locate(path);
  if (!place) {
    for (const name of ["home", "public"]) {
      yield [await topFolder(session, name)];
      if (!recursive) continue;
      yield* listFolder(session, session.locate(`/${name}`).place!, `${name}/`, true, omitted);
    }
    return;
  }
  const entry = await session.store.tree.entry(place);
  if (entry?.type === "dir") {
    yield* listFolder(session, place, "", recursive, omitted);
  } else if (entry?.type === "file") {
    yield [entryOf(place.name, entry)];
  } else {
    throw new BargeError("not-found", "there is no such file or folder");
  }
}

/**
 * Looks up some names in a folder, for a door that has sorted them in an order of its own.
 *
 * @returns their entries, in the order of the names; without those that are gone
 */
export async function entriesNamed(
  session: Session,
  path: string,
  names: readonly string[],
): Promise<Entry[]> {
  const way = session.wayIn(path);
  if (way !== undefined) {
    if (!names.includes(way)) return [];
    const { entry } = await stat(session, pathTo(path, way));
    return entry ? [{ ...entry, name: way }] : [];
  }
  const { place } = session.locate(path);
  if (!place) return await Promise.all(names.map((name) => topFolder(session, name)));
  const named = await session.store.tree.named(relative(place), names);
  return named.flatMap(({ name, entry }) => entry.type === "other" ? [] : [entryOf(name, entry)]);
}

/** Returns the entry of `/home` or `/public`, with the time of its last change. */
async function topFolder(session: Session, name: string): Promise<Entry> {
  const { place } = session.locate(`/${name}`);
  const entry = place && await session.store.tree.entry(place);
  return folderEntry(name, entry?.modified);
}

/** Lists a folder above the path of a token: its one entry on the way to that path, if it exists. */
async function* listWay(
  session: Session,
  folder: string,
  name: string,
  recursive: boolean,
  omitted: Omitted,
): AsyncGenerator<Entry[], void, void> {
  const path = pathTo(folder, name);
  try {
    const { entry } = await stat(session, path);
    if (!entry) return;
    yield [{ ...entry, name }];
    if (!recursive || entry.type !== "dir") return;
    for await (const batch of list(session, path, true, omitted)) {
      yield batch.map((entry) => ({ ...entry, name: `${name}/${entry.name}` }));
    }
  } catch (error) {
    if (!(error instanceof BargeError) || error.kind !== "not-found") throw error;
  }
}

function pathTo(folder: string, name: string): string {
  return folder === "/" ? `/${name}` : `${folder}/${name}`;
}

async function* listFolder(
  session: Session,
  place: Place,
  prefix: string,
  recursive: boolean,
  omitted: Omitted,
): AsyncGenerator<Entry[], void, void> {
  const dir = relative(place);
  for await (const page of pagesOf(session, place, prefix, omitted)) {
    let batch: Entry[] = [];
    for (const { name, entry } of page) {
      if (entry.type === "other") continue; // it was replaced meanwhile
      batch.push(entryOf(prefix + name, entry));
      if (!recursive || entry.type !== "dir") continue;
      yield batch;
      batch = [];
      yield* listFolder(session, { dir, name }, `${prefix}${name}/`, true, omitted);
    }
    if (batch.length > 0) yield batch;
  }
}

/** Yields a folder's entries. @param prefix empty for the requested folder: any other may be gone by now */
async function* pagesOf(
  { store }: Session,
  place: Place,
  prefix: string,
  omitted: Omitted,
): AsyncGenerator<NamedEntry[], void, void> {
  try {
    yield* store.tree.pages(place, (name, type) => omitted.add(prefix + name, type));
  } catch (error) {
    if (prefix === "" || !(error instanceof BargeError) || error.kind !== "not-found") throw error;
  }
}
