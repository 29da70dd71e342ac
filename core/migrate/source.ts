/** A data directory as the source of a migration: it is only read. */
import { BargeError } from "../error.ts";
import { sameFile } from "../local/entry.ts";
import type { FolderRow } from "../local/ledger/folders.ts";
import { Store } from "../local/store.ts";
import type { Listed } from "../local/vault/unnamed.ts";
import { homeOwner, unlessBehindLink } from "../repair/reconcile_folder.ts";
import { folderOf, type Place } from "../storage/place.ts";

/** The folders of the data directory that are migrated. */
export const spaces = ["homes", "public", "removed"] as const;

export interface SourceFile extends Place {
  /** The id of the charged account in the data directory. */
  readonly owner: number | null;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly created: number | null;
  readonly ino: number;
  /** The ledger's digest, in hex; null where the ledger does not know the file. */
  readonly sha256: string | null;
  readonly verified: boolean;
}

export interface SourceFolder extends FolderRow {
  readonly modified: number;
  readonly created: number | null;
}

/** The names in a folder; links and devices, which no door shows, are left out. */
export interface Names {
  readonly files: readonly string[];
  readonly folders: readonly string[];
  /** Names that are not valid UTF-8, as far as they can be shown. */
  readonly unnamed: readonly string[];
}

export class Source implements Disposable {
  readonly parts: Store;

  /** @throws {BargeError} as Database and Vault do */
  constructor(data: string) {
    this.parts = openDirectory(data);
  }

  /** Returns the names in a folder; none where it is gone. @throws {BargeError} as Vault.entries */
  async names(dir: string): Promise<Names> {
    const { vault } = this.parts;
    const entries = await vault.entries(folderOf({ dir, name: "" })).catch((error) => {
      if (isGone(error)) return [];
      throw error;
    });
    const of = (wanted: Listed["type"]) =>
      entries.filter(({ type }) => type === wanted).map(({ name }) => name).sort();
    return { files: of("file"), folders: of("dir"), unnamed: of("unnamed") };
  }

  /** Returns the files of some names in a folder, without those that are gone. */
  files(dir: string, names: readonly string[]): SourceFile[] {
    const { ledger, vault } = this.parts;
    const rows = ledger.named(dir, names);
    return names.flatMap((name) => {
      const place = { dir, name };
      const found = unlessBehindLink(() => vault.find(place));
      if (found?.type !== "file") return [];
      const row = rows.get(name);
      const same = row !== undefined && sameFile(row, found);
      const { size, modified, ino } = found;
      return {
        ...place,
        ...{ size, modified, ino },
        owner: row?.owner ?? null,
        created: vault.created(place) ?? null,
        sha256: same ? row.sha256 : null,
        verified: same && row.verified !== 0,
      };
    });
  }

  /** Returns the folders of some names in a folder, without those that are gone. */
  folders(dir: string, names: readonly string[]): SourceFolder[] {
    const { folders, vault } = this.parts;
    return names.flatMap((name) => {
      const place = { dir, name };
      const found = unlessBehindLink(() => vault.find(place));
      if (found?.type !== "dir") return [];
      const isHome = dir === "homes" || dir === "removed" || dir === "";
      // A folder in a home is an entry of its account, as for `barge verify`.
      const owner = isHome ? null : folders.find(place)?.owner ?? homeOwner(this.parts, dir);
      const created = vault.created(place) ?? null;
      return { ...place, owner, modified: found.modified, created };
    });
  }

  /** @throws {BargeError} `fatal` where a crash has left changes that the next start settles */
  needSettled(): void {
    const { db, intents } = this.parts;
    const held = "SELECT 1 FROM upload WHERE holder IS NOT NULL OR sha256 IS NOT NULL LIMIT 1";
    if (intents.intents().length === 0 && !db.get(held)) return;
    throw new BargeError("fatal", "its last server did not end in order, and left changes", {
      op: "migrate",
      path: db.data,
      hint: "start the server and stop it again: that settles them",
    });
  }

  [Symbol.dispose](): void {
    this.parts[Symbol.dispose]();
  }
}

/** Opens a data directory. @throws {BargeError} as Database and Vault do */
export function openDirectory(data: string): Store {
  const rules = { allowRegister: false, defaultLimit: null, maxLimit: null } as const;
  return new Store({ data, durability: "full", ...rules });
}

/** @returns undefined where a file or folder is gone */
export function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof BargeError &&
    (error.kind === "not-found" || error.kind === "no-directory");
}
