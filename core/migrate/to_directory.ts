/**
 * Copies storage that many machines share to a new data directory, which a server can then serve: to return
 * to one machine, or as a full backup. Nodes may use the storage meanwhile: each file is copied as it was at
 * one moment.
 *
 * If a copy was cut off, the next run continues it: files that the directory has are not copied again.
 */
import { readdirSync, statSync } from "node:fs";
import { BargeError } from "../error.ts";
import { AcmeSecrets } from "../shared/acme_secrets.ts";
import { AcmeFiles } from "../local/vault/acme_files.ts";
import { Database, databaseFile } from "../local/database/database.ts";
import type { Parts } from "../local/parts.ts";
import { makeRemovedFolder } from "../local/remove_account.ts";
import { discardTree } from "../local/vault/staging.ts";
import { homeOwner } from "../repair/reconcile_folder.ts";
import { requirePrepared } from "../shared/prepare.ts";
import { decodeName } from "../shared/database/name.ts";
import type { Statements } from "../shared/database/postgres.ts";
import type { SharedStorage } from "../shared/storage.ts";
import { inParallel } from "../storage/parallel.ts";
import { folderOf, type Place, relative } from "../storage/place.ts";
import { secretNames } from "../storage/secret_names.ts";
import { copyAcme } from "./acme.ts";
import { receiveAudit } from "./audit_trail.ts";
import { receiveIdentity } from "./identity.ts";
import { localIds, writeLocalAccounts, writeLocalTables } from "./local_people.ts";
import { mark, markedAddress, unmark } from "./marker.ts";
import { receiveEvents } from "./outbox.ts";
import { isKnown, Receiver } from "./receiver.ts";
import { type Migrated, type MigrateOptions, Report } from "./report.ts";
import { readSharedPeople, readSharedProperties, sharedIds } from "./shared_people.ts";
import { entriesOf, type SharedEntry, totalsOf } from "./shared_source.ts";
import { openDirectory, spaces } from "./source.ts";
import { receiveUploads } from "./uploads_to_directory.ts";

/** The files that are copied at the same time. */
const maxParallel = 8;

export interface ToDirectoryOptions extends MigrateOptions {
  /** The source, as the marker names it: without secrets. */
  readonly address: string;
}

/**
 * Copies all accounts and files.
 *
 * @param data a directory with the folders of a data directory, which the caller has locked
 * @throws {BargeError} `exists` for a directory with accounts of its own; as the two kinds of storage do
 */
export async function toDirectory(
  shared: SharedStorage,
  data: string,
  options: ToDirectoryOptions,
): Promise<Migrated> {
  const { address } = options;
  await requirePrepared(shared.parts);
  const resumed = needOwn(data, address);
  await mark(data, "incomplete", address);
  new Database(data, { create: true, adopt: resumed })[Symbol.dispose]();
  using parts = openDirectory(data);
  const report = new Report(options);
  const accounts = await new Copy(shared, parts, report).run(resumed);
  if (report.problems.length === 0) await unmark(data, "incomplete");
  return report.result(accounts);
}

/**
 * Refuses a directory with other data.
 *
 * @returns whether the directory has an incomplete copy, which goes on
 * @throws {BargeError} `exists`
 */
function needOwn(data: string, address: string): boolean {
  const from = markedAddress(data, "incomplete");
  if (from !== undefined && from !== "" && from !== address) {
    throw new BargeError("exists", `it is an incomplete copy of ${from}`, {
      op: "migrate",
      path: data,
      hint: "name an empty directory",
    });
  }
  const taken = [databaseFile, ...spaces].find((name) => !isMissingOrEmpty(`${data}/${name}`));
  if (from === undefined && taken !== undefined) {
    throw new BargeError("exists", `it is not empty: it has ${taken}`, {
      op: "migrate",
      path: data,
      hint: "name an empty directory",
    });
  }
  return from !== undefined;
}

function isMissingOrEmpty(path: string): boolean {
  const info = statSync(path, { throwIfNoEntry: false });
  return info === undefined || info.isDirectory() && readdirSync(path).length === 0;
}

class Copy {
  readonly #shared: SharedStorage;
  readonly #db: Statements;
  readonly #parts: Parts;
  readonly #report: Report;
  readonly #receiver: Receiver;
  /** The ids of accounts in the directory, by their names. */
  #ids: ReadonlyMap<string, number> = new Map();
  /** The times of folders, which the writes in them change. */
  readonly #times: (Place & { readonly modified: number })[] = [];

  constructor(shared: SharedStorage, parts: Parts, report: Report) {
    this.#shared = shared;
    this.#db = shared.parts.db;
    this.#parts = parts;
    this.#report = report;
    this.#receiver = new Receiver(parts, shared.parts, report);
  }

  /**
   * Copies all accounts and files.
   *
   * @param resumed whether the directory may have entries that the source does not have
   * @returns the number of accounts
   */
  async run(resumed: boolean): Promise<number> {
    const { db, vault } = this.#parts;
    const { files, bytes } = await totalsOf(this.#db);
    this.#report.plan(files, bytes);
    await this.#writeSecrets();
    await receiveIdentity(this.#shared.parts.secrets, this.#parts.db.data);
    await this.#writeAccounts();
    makeRemovedFolder(vault);
    db.run("DELETE FROM property");
    await this.#folder({ dir: "", name: "" }, 0, resumed);
    this.#receiver.flush();
    await receiveUploads(this.#shared, this.#parts, await this.#owners(), this.#report);
    const people = await readSharedPeople(this.#shared.parts);
    db.transaction(() => {
      writeLocalAccounts(db, people.accounts, true);
      writeLocalTables(db, people.rows);
    });
    await receiveAudit(this.#db, db);
    await receiveEvents(this.#db, this.#parts);
    await copyAcme(new AcmeSecrets(this.#shared.parts), new AcmeFiles(db.data));
    for (const folder of this.#times) vault.touch(folder, folder.modified);
    return people.accounts.length;
  }

  async #folder(place: Place, id: number, resumed: boolean): Promise<void> {
    const dir = relative(place);
    const folders: SharedEntry[] = [];
    const names = new Set<string>();
    for await (const entries of entriesOf(this.#db, id)) {
      for (const entry of entries) {
        names.add(entry.name);
        const below = { dir, name: entry.name };
        await this.#replaceOther(below, entry.folder ? "dir" : "file");
        if (!entry.folder) continue;
        this.#makeFolder(below, await this.#ownerOf(entry));
        folders.push(entry);
      }
      const files = entries.filter(({ folder }) => !folder);
      await inParallel(files, maxParallel, async (file) => {
        await this.#receiver.receive(dir, file, await this.#ownerOf(file));
      });
    }
    // At the top of the directory, only homes, public and removed are copied from the source.
    if (resumed && dir !== "") await this.#removeOthers(dir, names);
    await this.#writeProperties(dir, id);
    for (const folder of folders) {
      const below = { dir, name: folder.name };
      await this.#folder(below, folder.id, resumed);
      this.#times.push({ ...below, modified: folder.modified });
    }
  }

  #makeFolder(place: Place, owner: number | null): void {
    const { folders, vault } = this.#parts;
    vault.mkdir(place, false);
    if (!isKnown(place.dir)) return;
    folders.enter({ ...place, owner: owner ?? homeOwner(this.#parts, place.dir) });
  }

  /** Removes an entry of another type from a name. */
  async #replaceOther(place: Place, type: "file" | "dir"): Promise<void> {
    const found = this.#parts.vault.find(place);
    if (found && found.type !== type) await this.#remove(place);
  }

  async #removeOthers(dir: string, names: ReadonlySet<string>): Promise<void> {
    for (const { name } of await this.#parts.vault.entries(folderOf({ dir, name: "" }))) {
      if (!names.has(name)) await this.#remove({ dir, name });
    }
  }

  async #remove(place: Place): Promise<void> {
    const { db, ledger, vault } = this.#parts;
    db.transaction(() => {
      ledger.forget(place);
      vault.rename(place, { dir: "staging", name: "removed-0" });
    });
    await discardTree(vault, "removed-0");
    this.#report.removed++;
  }

  async #writeProperties(dir: string, id: number): Promise<void> {
    const properties = await readSharedProperties(this.#db, id);
    if (properties.length === 0) return;
    const { db } = this.#parts;
    db.transaction(() => {
      for (const { name, account, ...property } of properties) {
        const owner = this.#ids.get(account);
        if (owner === undefined) continue;
        this.#parts.properties.set({ dir, name: decodeName(name) }, owner, property);
      }
    });
  }

  async #writeSecrets(): Promise<void> {
    const { db } = this.#parts;
    for (const key of secretNames) {
      const value = await this.#shared.parts.secrets.find(key);
      if (value !== undefined) db.upsert("meta", { key }, { value });
    }
  }

  /** Writes accounts, but sets no quotas yet: an account may have more bytes than a quota that was lowered. */
  async #writeAccounts(): Promise<void> {
    const { db } = this.#parts;
    const { accounts } = await readSharedPeople(this.#shared.parts);
    db.transaction(() => writeLocalAccounts(db, accounts, false));
    this.#ids = localIds(db);
  }

  async #ownerOf({ ownerName }: SharedEntry): Promise<number | null> {
    if (ownerName === null) return null;
    if (!this.#ids.has(ownerName)) await this.#writeAccounts(); // the account was made meanwhile
    return this.#ids.get(ownerName) ?? null;
  }

  /** Returns the ids of accounts in the directory, by those at the source. */
  async #owners(): Promise<Map<number, number>> {
    const ids = await sharedIds(this.#db);
    const pairs = [...ids].flatMap(([name, id]): [number, number][] =>
      this.#ids.has(name) ? [[id, this.#ids.get(name)!]] : []
    );
    return new Map(pairs);
  }
}
