/**
 * Starts the server of a growth benchmark, on a data directory, or as one node of storage that machines share. Adds
 * accounts and files to its database directly, since a login for each account and bytes for each file would take
 * hours.
 */
import { DatabaseSync } from "node:sqlite";
import type { Postgres } from "../../core/shared/database/postgres.ts";
import type { Engines } from "../cluster/engines.ts";
import { makeStorage } from "../cluster/storage.ts";
import { makeFolder, removeFolder } from "../cleanup.ts";
import { type Bench, startBench } from "../program.ts";

export interface GrowthServer extends Bench {
  /**
   * Copies the account bench, with its password, as copy-FROM, copy-FROM+1 ...
   *
   * @param to the number of accounts then
   */
  copyAccounts(from: number, to: number): Promise<void>;
  /**
   * Adds rows of files without bytes, which no benchmark reads, in folders of 1,000.
   *
   * @param from a multiple of 1,000
   * @param to the number of rows then, a multiple of 1,000
   */
  addFiles(from: number, to: number): Promise<void>;
}

/** Starts a server. @param args further options of `serve` */
export type StartServer = (...args: string[]) => Promise<GrowthServer>;

const filesPerFolder = 1000;

/** @param dir the parent of its folder; default: the system's temporary folder */
export function localServers(dir: string | undefined): StartServer {
  return async (...args) => {
    const bench = await startBench({ dir }, ...args);
    const change = (work: (db: DatabaseSync) => void) => {
      using db = new DatabaseSync(`${bench.folder}/data/accounts.db`);
      db.exec("PRAGMA foreign_keys = ON; BEGIN IMMEDIATE");
      work(db);
      db.exec("COMMIT");
      return Promise.resolve();
    };
    return {
      ...bench,
      copyAccounts: (from, to) => change((db) => copyLocalAccounts(db, from, to)),
      addFiles: (from, to) => change((db) => addLocalFiles(db, from, to)),
    };
  };
}

function copyLocalAccounts(db: DatabaseSync, from: number, to: number): void {
  const columns = "role, quota, salt, n, r, p, stored_key, server_key, created";
  const copy = db.prepare(
    `INSERT INTO account (name, ${columns}) SELECT ?, ${columns} FROM account WHERE name = 'bench'`,
  );
  for (let i = from; i < to; i++) copy.run(`copy-${i}`);
}

function addLocalFiles(db: DatabaseSync, from: number, to: number): void {
  const makeFolder = db.prepare("INSERT INTO folder (parent, name) VALUES (1, ?)");
  const insert = db.prepare(
    `INSERT INTO file (folder, name, owner, size, sha256, modified, ino)
     SELECT ?, ?, id, 1, ?, 0, ? FROM account WHERE name = 'bench'`,
  );
  for (let first = from; first < to; first += filesPerFolder) {
    const folder = makeFolder.run(`rows-${first}`).lastInsertRowid;
    for (let i = first; i < first + filesPerFolder; i++) {
      insert.run(folder, `file-${i}`, i.toString(16).padStart(64, "0"), i + 1);
    }
  }
}

/**
 * @param engines PostgreSQL and the store; each server gets a database and a bucket of its own
 * @param dir the parent of its folder; default: the system's temporary folder
 */
export function sharedServers(engines: Engines, dir: string | undefined): StartServer {
  return async (...args) => {
    await using stack = new AsyncDisposableStack();
    const secrets = await makeFolder("barge-growth-", dir);
    stack.defer(() => removeFolder(secrets));
    const storage = stack.use(await makeStorage(engines, secrets));
    const bench = stack.use(await startBench({ dir, storage: storage.options }, ...args));
    const rest = stack.move();
    const change = async (work: (db: Postgres) => Promise<unknown>) => {
      await using db = storage.connect();
      await work(db);
    };
    return {
      ...bench,
      copyAccounts: (from, to) => change((db) => copySharedAccounts(db, from, to)),
      addFiles: async (from, to) => {
        for (let first = from; first < to; first += filesPerFolder) {
          await change((db) => addSharedFolder(db, first));
        }
        // As autovacuum does within a minute.
        await change((db) => db.all("ANALYZE node"));
      },
      [Symbol.asyncDispose]: () => rest.disposeAsync(),
    };
  };
}

async function copySharedAccounts(db: Postgres, from: number, to: number): Promise<void> {
  await db.all(
    `INSERT INTO account (name, role, quota, verifier)
     SELECT 'copy-' || i, role, quota, verifier
     FROM account, generate_series($1::bigint, $2::bigint - 1) AS i WHERE name = 'bench'`,
    from,
    to,
  );
}

/** Adds the folder rows-FIRST with its files. */
async function addSharedFolder(db: Postgres, first: number): Promise<void> {
  await db.all(
    `WITH home AS (SELECT id FROM node WHERE parent = 1 AND name = 'bench'),
     made AS (
       INSERT INTO node (parent, name, folder, modified)
       SELECT id, convert_to('rows-' || $1::bigint, 'UTF8'), true, 0 FROM home RETURNING id
     )
     INSERT INTO node (parent, name, folder, owner, size, sha256, modified)
     SELECT made.id, convert_to('file-' || i, 'UTF8'), false, account.id, 1, sha256(i::text::bytea), 0
     FROM made, account, generate_series($1::bigint, $1::bigint + ${filesPerFolder - 1}) AS i
     WHERE account.name = 'bench'`,
    first,
  );
}
