/**
 * Upgrades the tables of an older barge. A copy of the old database is kept beside it, as
 * `accounts.db.version-N`.
 *
 * Facts that the old tables lack are read from the disk, after the tables are changed. If a crash cuts this
 * short, `barge verify --repair` reads the rest.
 *
 * An older server that still ran would write to tables that it does not know. So the caller must keep all
 * servers out of the directory, as `core/serve/data.ts` does.
 */
import { BargeError } from "../error.ts";
import { foreignOwner, giveTo } from "../disk/owner.ts";
import { type Place, relative } from "../storage/place.ts";
import { Vault } from "./vault/vault.ts";
import { backup } from "./database/backup.ts";
import { Database, databaseFile } from "./database/database.ts";
import { Folders } from "./ledger/folders.ts";
import { migrations } from "./database/schema.ts";
import { foldersAndEntries } from "./database/schema_folders.ts";

/** The version of the tables that have folders as rows. */
const versionWithFolders = migrations.indexOf(foldersAndEntries) + 1;

export interface Upgraded {
  /** Versions of the tables. */
  readonly from: number;
  readonly to: number;
  /** The path of the copy of the old database. */
  readonly copy: string;
}

/**
 * Copies the database, and changes its tables, all of them or none.
 *
 * @param data the data directory, which no server and no other command uses
 * @param from the version that its tables have
 * @throws {BargeError} as `backup` and `Database` do; the tables are then as they were
 */
export async function upgrade(data: string, from: number): Promise<Upgraded> {
  const copy = `${data}/${databaseFile}.version-${from}`;
  await backup(data, copy, { force: true, tables: from });
  giveTo(foreignOwner(data), copy);
  using db = new Database(data, { upgrade: true });
  if (from < versionWithFolders) await enterFolders(db);
  return { from, to: migrations.length, copy };
}

/**
 * Enters the folders on disk that hold no files, which older tables do not have, as entries of the
 * account whose home they are in. Folders in /public become nobody's entries.
 */
async function enterFolders(db: Database): Promise<void> {
  const vault = new Vault(db.data, false);
  const folders = new Folders(db);
  const namesIn = async (place: Place) => {
    try {
      return vault.find(place)?.type === "dir" ? await vault.names(place, "dir") : [];
    } catch (error) {
      if (error instanceof BargeError) return []; // `barge verify` reports it
      throw error;
    }
  };
  const enterIn = async (place: Place, owner: number | null): Promise<void> => {
    const dir = relative(place);
    const names = await namesIn(place);
    db.transaction(() => {
      for (const name of names) folders.enter({ dir, name, owner });
    });
    for (const name of names) await enterIn({ dir, name }, owner);
  };
  const homes = { dir: "", name: "homes" };
  for (const name of await namesIn(homes)) {
    const owner = db.get<{ id: number }>("SELECT id FROM account WHERE name = ?", name)?.id;
    if (owner !== undefined) await enterIn({ dir: homes.name, name }, owner);
  }
  await enterIn({ dir: "", name: "public" }, null);
}
