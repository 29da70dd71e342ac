/** Folders, listed in batches so that neither memory nor the event loop is held by a huge one. */
import { BargeError } from "../error.ts";
import type { Entry } from "../protocol/message.ts";
import { type Place, relative } from "../vault/place.ts";
import type { Vault } from "../vault/vault.ts";
import { entryOf, folderEntry, sameFile } from "./entry.ts";
import type { Session } from "./session.ts";
import { look } from "./stat.ts";

const batchSize = 256;

/**
 * Lists a folder, or the one file that is there.
 *
 * @param recursive also what is in its folders, depth first, each folder before what it holds
 * @returns batches of entries; names are relative to the path
 * @throws {BargeError} `not-found`, `denied`
 */
export async function* list(
  session: Session,
  path: string,
  recursive: boolean,
): AsyncGenerator<Entry[], void, void> {
  session.check();
  const { place } = session.locate(path);
  if (!place) {
    for (const name of ["home", "public"]) {
      yield [folderEntry(name)];
      if (recursive) yield* folder(session, session.locate(`/${name}`).place!, `${name}/`, true);
    }
    return;
  }
  const { found, row } = look(session.store, place);
  if (found?.type === "dir") {
    yield* folder(session, place, "", recursive);
  } else if (found?.type === "file") {
    yield [entryOf(place.name, found, row)];
  } else {
    throw new BargeError("not-found", "there is no such file or folder");
  }
}

async function* folder(
  session: Session,
  place: Place,
  prefix: string,
  recursive: boolean,
): AsyncGenerator<Entry[], void, void> {
  const { vault, ledger } = session.store;
  const dir = relative(place);
  const names = await namesIn(vault, place, prefix !== "");
  const rows = ledger.folder(dir);
  let batch: Entry[] = [];
  for (const { name } of names) {
    let found = vault.find({ dir, name });
    let row = rows.get(name);
    if (found?.type === "file" && !(row && sameFile(row, found))) {
      ({ found, row } = look(session.store, { dir, name }));
    }
    if (!found || found.type === "other") continue; // gone meanwhile, or not to be shown
    batch.push(entryOf(prefix + name, found, row));
    const descend = recursive && found.type === "dir";
    if (descend || batch.length >= batchSize) {
      yield batch;
      batch = [];
    }
    if (descend) yield* folder(session, { dir, name }, `${prefix}${name}/`, true);
  }
  if (batch.length > 0) yield batch;
}

/** @param below a folder inside the one that was asked for: it may be gone by now */
async function namesIn(vault: Vault, place: Place, below: boolean) {
  try {
    return await vault.names(place);
  } catch (error) {
    if (below && error instanceof BargeError && error.kind === "not-found") return [];
    throw error;
  }
}
