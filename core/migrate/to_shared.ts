/**
 * Migrates a data directory to storage that many machines share.
 *
 * A first pass may run while a server serves the directory, which is only read. Each further pass copies the
 * changes since the pass before. The last pass needs the directory's lock. It also copies partial uploads,
 * waiting events and the records of ACME, sets the quotas, compares the sums of all accounts, and marks the directory, so that no server starts on it
 * any more.
 *
 * If a pass was cut off, the next one continues it: files that the target has are not sent again.
 */
import { BargeError } from "../error.ts";
import type { Parts } from "../shared/bucket/parts.ts";
import { AcmeFiles } from "../local/vault/acme_files.ts";
import { AcmeSecrets } from "../shared/acme_secrets.ts";
import { migrate } from "../shared/database/migrate.ts";
import { prepare } from "../shared/prepare.ts";
import type { SharedStorage } from "../shared/storage.ts";
import { inPages, pageRows } from "../storage/pages.ts";
import { secretNames } from "../storage/secret_names.ts";
import { copyAcme } from "./acme.ts";
import { sendAudit } from "./audit_trail.ts";
import { removeGone } from "./gone.ts";
import { sendIdentity } from "./identity.ts";
import { readLocalAccounts, readLocalPeople } from "./local_people.ts";
import { sendEvents } from "./outbox.ts";
import { Pass } from "./pass.ts";
import { type Migrated, type MigrateOptions, Report } from "./report.ts";
import {
  type PlacedProperty,
  sharedIds,
  writeSharedAccounts,
  writeSharedProperties,
  writeSharedTables,
} from "./shared_people.ts";
import { Source } from "./source.ts";
import { beginMigration, endMigration, type PassMark } from "./state.ts";
import { type SeenReserved, sendUploads } from "./uploads_to_shared.ts";

export interface ToSharedOptions extends MigrateOptions {
  /** The target, as the marker names it: without secrets. */
  readonly address: string;
  /** The version of barge. */
  readonly version?: string;
  /** Whether this is the last pass. The caller has locked the directory. */
  readonly final: boolean;
}

/**
 * Runs one pass of a migration.
 *
 * @param data the data directory
 * @throws {BargeError} `exists` for a target with other data; `fatal` in the last pass if a crash has left
 *   changes that are not settled, or if sums differ; as the two kinds of storage do
 */
export async function toShared(
  data: string,
  shared: SharedStorage,
  options: ToSharedOptions,
): Promise<Migrated> {
  const { final, address, version = "" } = options;
  const report = new Report(options);
  using source = new Source(data);
  const { parts } = shared;
  if (final) source.needSettled();
  await migrate(parts.db, version);
  const mark = await beginMigration(parts, source.parts.vault.root);
  for (const { key, value } of secretsOf(source)) await parts.secrets.get(key, () => value);
  await sendIdentity(source.parts.vault.root, parts.secrets);
  await prepare(parts, version);

  const accounts = readLocalAccounts(source.parts.db);
  // Quotas are set last: an account may have more bytes than a quota that was lowered.
  await mark.transaction((tx) => writeSharedAccounts(tx, parts.secrets, accounts, false));
  const owners = await ownersOf(source, parts);
  const free = await removeGone(source, shared, mark, report);
  const pass = new Pass(source, parts, owners, free, mark, report);
  await pass.run();
  await writeProperties(source, mark);
  const reserved = final ? await sendUploads(source, shared, owners, report) : undefined;
  const people = readLocalPeople(source.parts.db);
  await mark.transaction(async (tx) => {
    await writeSharedAccounts(tx, parts.secrets, people.accounts, final);
    await writeSharedTables(tx, people.rows);
  });
  if (reserved && report.problems.length === 0) {
    await compareSums(parts, pass, reserved);
    await mark.transaction(async (tx) => {
      await sendAudit(source.parts.db, tx);
      await sendEvents(source.parts, tx);
    });
    await copyAcme(new AcmeFiles(source.parts.vault.root), new AcmeSecrets(parts));
    await endMigration(parts, source.parts.vault.root, address);
  }
  return report.result(accounts.length);
}

function secretsOf({ parts: { db } }: Source): { readonly key: string; readonly value: string }[] {
  const sql = "SELECT key, value FROM meta WHERE key IN (SELECT value FROM json_each(?))";
  return db.all(sql, JSON.stringify(secretNames));
}

/** Returns the ids of accounts at the target, by those at the source. */
async function ownersOf({ parts: { accounts } }: Source, { db }: Parts) {
  const ids = await sharedIds(db);
  const pairs = accounts.list().flatMap(({ id, name }): [number, number][] =>
    ids.has(name) ? [[id, ids.get(name)!]] : []
  );
  return new Map(pairs);
}

async function writeProperties({ parts: { db } }: Source, mark: PassMark): Promise<void> {
  const sql = `SELECT dir, property.name AS name, space, local, account.name AS account, xml
    FROM property JOIN account ON account.id = property.account
    WHERE (dir, property.name, space, local) > (?, ?, ?, ?)
    ORDER BY dir, property.name, space, local LIMIT ${pageRows}`;
  const pages = inPages<PlacedProperty>((last) => {
    const { dir = "", name = "", space = "", local = "" } = last ?? {};
    return db.all(sql, dir, name, space, local);
  });
  await mark.transaction(async (tx) => {
    await tx.all("DELETE FROM property");
    await writeSharedProperties(tx, pages);
  });
}

/** Compares the sums of all accounts. @throws {BargeError} `fatal` if source and target differ */
async function compareSums({ db }: Parts, { seen }: Pass, uploads: SeenReserved): Promise<void> {
  const rows = await db.all<
    { id: number; name: string; used: number; reserved: number; entries: number }
  >("SELECT id, name, used, reserved, entries FROM account ORDER BY id");
  for (const { id, name, ...target } of rows) {
    const files = seen.get(id) ?? { used: 0, entries: 0 };
    const { reserved, entries } = uploads.get(id) ?? { reserved: 0, entries: 0 };
    const source = { used: files.used, reserved, entries: files.entries + entries };
    if (JSON.stringify(source) === JSON.stringify(target)) continue;
    throw new BargeError(
      "fatal",
      `its sums differ: ${describe(source)} here, ${describe(target)} there`,
      { op: "migrate", account: name, path: name },
    );
  }
}

function describe(sums: Record<string, number>): string {
  return Object.entries(sums).map(([name, sum]) => `${name} ${sum}`).join(", ");
}
