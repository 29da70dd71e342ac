/**
 * The step from staged bytes to a file, for all uploads of an isolate.
 *
 *   staged and synced -> [enter] sealed in the ledger -> [publish] renamed, folder synced, settled
 *
 * Both brackets are group commits. The rename happens inside the second transaction, so that the
 * write lock makes it one step for every other isolate: nobody can read the ledger, rename, and
 * write it, while another does. A crash between the rename and the commit is found on start by a
 * sealed upload whose staged bytes are gone (recover.ts); a commit that fails (the disk is full) by
 * the list here, which the next commit takes along.
 */
import type { NewFile } from "../account/ledger.ts";
import type { UploadRow } from "../account/reservation.ts";
import { stagedPlace } from "../vault/staging.ts";
import { Group } from "./group.ts";
import type { Store } from "./store.ts";

export class Commits {
  readonly #store: Store;
  readonly #enter: Group;
  readonly #publish: Group;
  /** Folders that were renamed into by the transaction at hand. */
  readonly #dirty = new Set<string>();
  /** Renamed by the transaction at hand, or by one that failed: on disk, and not in the ledger yet. */
  #renamed: { id: number; file: NewFile }[] = [];

  constructor(store: Store) {
    this.#store = store;
    this.#enter = new Group(store.db);
    this.#publish = new Group(store.db, {
      beforeCommit: () => this.#settleRenamed(),
      afterCommit: () => this.#renamed = [],
    });
  }

  /** Runs work on the ledger that must be durable before anything is renamed. */
  enter<T>(work: () => T): Promise<T> {
    return this.#enter.submit(work);
  }

  /**
   * Renames a sealed upload's staged bytes into place and settles it.
   *
   * @param check throws if the file may not be written (any more); runs under the write lock
   */
  async publish<T>(upload: UploadRow, file: NewFile, check: () => T): Promise<T> {
    return await this.#publish.submit(() => {
      const checked = check();
      this.#store.vault.rename(stagedPlace(upload.id), file);
      this.#renamed.push({ id: upload.id, file });
      this.#dirty.add(file.dir);
      this.#store.reservations.settle(upload.id, file);
      return checked;
    });
  }

  /** Runs a rename or removal: the disk and the ledger in one step, as {@link publish}. */
  async change<T>(dirs: readonly string[], work: () => T): Promise<T> {
    return await this.#publish.submit(() => {
      const result = work();
      for (const dir of dirs) this.#dirty.add(dir);
      return result;
    });
  }

  /** Settles what a failed transaction left behind, and makes all names durable. */
  #settleRenamed(): void {
    const { reservations, vault } = this.#store;
    for (const { id, file } of this.#renamed) {
      if (!reservations.upload(id)) continue; // settled by this transaction, as it should be
      if (vault.find(file)?.ino === file.ino) reservations.settle(id, file);
      else reservations.drop(id); // replaced since, by one that was settled
    }
    for (const dir of this.#dirty) vault.sync(dir);
    this.#dirty.clear();
  }
}
