/** Reads and writes accounts in a database that many machines share. */
import type { Parts } from "../shared/bucket/parts.ts";
import { encodePlace } from "../shared/database/name.ts";
import type { Statements } from "../shared/database/postgres.ts";
import type { Secrets } from "../shared/database/secrets.ts";
import { openFactorSecret, sealFactorSecret } from "../shared/people/factors.ts";
import {
  type AccountRecord,
  columnsOf,
  type People,
  type PeopleRow,
  type PeopleRows,
  type PeopleTable,
  peopleTableNames,
} from "./people.ts";

/** The rows that one statement writes. */
const batchRows = 1000;

const accountsSql = `SELECT name, role, disabled, quota, entry_limit AS "entryLimit",
    entry_limit_set AS "entryLimitSet", epoch, granted, verifier,
    (extract(epoch FROM created) * 1000)::bigint AS created,
    (extract(epoch FROM last_login) * 1000)::bigint AS "lastLogin", expires, networks,
    totp_secret AS "totpSecret", totp_step AS "totpStep", recovery_codes AS "recoveryCodes"
  FROM account ORDER BY id`;

/** Reads all accounts and the rows that refer to them, in one statement, which sees one moment. */
export async function readSharedPeople(
  { db, secrets }: Pick<Parts, "db" | "secrets">,
): Promise<People> {
  const selects = [
    ["account", accountsSql],
    ...peopleTableNames.map((name) => [name, select(name)]),
  ];
  const columns = selects.map(([name, sql]) =>
    `(SELECT coalesce(jsonb_agg(to_jsonb(r)), '[]') FROM (${sql}) AS r) AS ${name}`
  );
  const [{ account, ...tables }] = await db.all<Record<string, unknown[]>>(
    `SELECT ${columns.join(", ")}`,
  );
  const rows = peopleTableNames.map((name) => [name, tables[name] as PeopleRow[]] as const);
  const accounts = (account as AccountRecord[]).map(({ totpSecret, ...record }) => ({
    ...record,
    totpSecret: totpSecret && openFactorSecret(secrets, record.name, totpSecret),
  }));
  return { accounts, rows: new Map(rows) };
}

function select(table: PeopleTable): string {
  const columns = columnsOf(table).map(([name, kind]) => {
    if (name === "gone") return "node IS NULL AS gone";
    if (kind !== "account") return name;
    return `(SELECT account.name FROM account WHERE account.id = ${table}.account) AS account`;
  });
  return `SELECT ${columns.join(", ")} FROM ${table}`;
}

/** Makes and changes accounts, and deletes all others. @param limits whether to set quotas and entry limits */
export async function writeSharedAccounts(
  tx: Statements,
  secrets: Secrets,
  accounts: readonly AccountRecord[],
  limits: boolean,
): Promise<void> {
  await tx.all(
    `DELETE FROM account WHERE name NOT IN
       (SELECT value FROM jsonb_array_elements_text($1::text::jsonb))`,
    JSON.stringify(accounts.map(({ name }) => name)),
  );
  const rows = accounts.map(({ totpSecret, ...account }) => ({
    ...account,
    totpSecret: totpSecret && sealFactorSecret(secrets, account.name, totpSecret),
    quota: limits ? account.quota : null,
    entryLimit: limits ? account.entryLimit : null,
  }));
  await inBatches(rows, async (batch) => {
    await tx.all(
      `INSERT INTO account (name, role, disabled, quota, entry_limit, entry_limit_set, epoch, granted,
         verifier, created, last_login, expires, networks, totp_secret, totp_step, recovery_codes)
       SELECT name, role, disabled, quota, "entryLimit", "entryLimitSet", epoch, granted, verifier,
         to_timestamp(created / 1000.0), to_timestamp("lastLogin" / 1000.0), expires, networks,
         "totpSecret", "totpStep", "recoveryCodes"
       FROM jsonb_to_recordset($1::text::jsonb) AS a (name text, role text, disabled boolean,
         quota bigint, "entryLimit" bigint, "entryLimitSet" boolean, epoch integer, granted bigint,
         verifier jsonb, created bigint, "lastLogin" bigint, expires bigint, networks text,
         "totpSecret" text, "totpStep" bigint, "recoveryCodes" text)
       ON CONFLICT (lower(name)) DO UPDATE SET name = excluded.name, role = excluded.role,
         disabled = excluded.disabled, quota = excluded.quota, entry_limit = excluded.entry_limit,
         entry_limit_set = excluded.entry_limit_set, epoch = excluded.epoch,
         granted = excluded.granted, verifier = excluded.verifier, created = excluded.created,
         last_login = excluded.last_login, expires = excluded.expires, networks = excluded.networks,
         totp_secret = excluded.totp_secret, totp_step = excluded.totp_step,
         recovery_codes = excluded.recovery_codes`,
      JSON.stringify(batch),
    );
  });
}

/** Returns the ids of accounts by their names. */
export async function sharedIds(db: Statements): Promise<Map<string, number>> {
  const rows = await db.all<{ id: number; name: string }>("SELECT id, name FROM account");
  return new Map(rows.map(({ id, name }) => [name, id]));
}

/** Replaces the rows of all tables. All files must be copied before, since share links refer to them. */
export async function writeSharedTables(
  tx: Statements,
  rowsOf: PeopleRows,
): Promise<void> {
  for (const table of peopleTableNames) {
    await tx.all(`DELETE FROM ${table}`);
    const sql = insertion(table);
    await inBatches(rowsOf.get(table)!, async (batch) => {
      const rows = table === "share" ? batch.map(withNode) : batch;
      await tx.all(sql, JSON.stringify(rows));
    });
  }
}

/** Adds the place of a share link, encoded as names are in the database. */
function withNode(row: PeopleRow): PeopleRow {
  const { dir, name } = encodePlace({ dir: row.dir as string, name: row.name as string });
  return { ...row, node_dir: dir, node_name: name };
}

/** Returns SQL that inserts rows. Its parameter is a list of the rows, in JSON. */
function insertion(table: PeopleTable): string {
  const columns = columnsOf(table);
  const types = columns.map(([name, kind]) =>
    `${name} ${kind === "account" ? "text" : kind === "verifier" ? "jsonb" : kind}`
  );
  const values = columns.map(([name, kind]) => {
    if (kind === "account") return `(SELECT id FROM account WHERE account.name = row.account)`;
    if (name !== "gone") return `row.${name}`;
    return `CASE WHEN NOT gone THEN (SELECT node.id FROM node
      WHERE parent = folder_at(node_dir) AND node.name = decode(node_name, 'hex')) END`;
  });
  const names = columns.map(([name]) => name === "gone" ? "node" : name);
  if (table === "share") types.push("node_dir text", "node_name text");
  return `INSERT INTO ${table} (${names.join(", ")}) SELECT ${values.join(", ")}
    FROM jsonb_to_recordset($1::text::jsonb) AS row (${types.join(", ")})`;
}

/** A property, with the place of its file or folder. */
export interface PlacedProperty {
  readonly dir: string;
  readonly name: string;
  readonly space: string;
  readonly local: string;
  readonly account: string;
  readonly xml: string;
}

/** Writes WebDAV properties. Leaves out those whose file or folder the database does not have. */
export async function writeSharedProperties(
  tx: Statements,
  properties: Iterable<PlacedProperty>,
): Promise<void> {
  await inBatches(properties, async (batch) => {
    await tx.all(
      `INSERT INTO property (node, space, local, account, xml)
       SELECT node.id, space, local, account.id, xml
       FROM jsonb_to_recordset($1::text::jsonb) AS p (dir text, name text, space text, local text,
         account text, xml text)
       JOIN node ON node.parent = folder_at(p.dir) AND node.name = decode(p.name, 'hex')
       JOIN account ON account.name = p.account`,
      JSON.stringify(batch.map((property) => ({ ...property, ...encodePlace(property) }))),
    );
  });
}

/** Returns the properties of the entries in a folder, with their names in hex. @param folder its id */
export async function readSharedProperties(
  db: Statements,
  folder: number,
): Promise<Omit<PlacedProperty, "dir">[]> {
  return await db.all(
    `SELECT encode(node.name, 'hex') AS name, space, local, account.name AS account, xml
     FROM property JOIN node ON node.id = property.node JOIN account ON account.id = property.account
     WHERE node.parent = $1`,
    folder,
  );
}

async function inBatches<T>(
  rows: Iterable<T>,
  write: (batch: readonly T[]) => Promise<void>,
): Promise<void> {
  let batch: T[] = [];
  for (const row of rows) {
    batch.push(row);
    if (batch.length < batchRows) continue;
    await write(batch);
    batch = [];
  }
  if (batch.length > 0) await write(batch);
}
