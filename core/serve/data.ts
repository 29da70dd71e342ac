/** Makes the data directory, locks it for one server at a time, and upgrades its tables. */
import { existsSync } from "node:fs";
import { Database, type OpenOptions } from "../local/database/database.ts";
import { OlderTables } from "../local/database/older_tables.ts";
import { upgrade, type Upgraded } from "../local/upgrade.ts";
import { BargeError, typed } from "../error.ts";
import { foreignOwner, giveTo } from "../disk/owner.ts";
import { stagingDir } from "../local/vault/staging.ts";

/** A data directory that this process has locked until it disposes of the lock. */
export interface DataLock extends Disposable {
  /**
   * Writes public facts about the server into the lock file. The disposal of the lock removes the process from them.
   *
   * @throws the error of the write
   */
  writeFacts(facts: ServerFacts): void;
}

/** Facts about a server, for commands that use the same data directory. */
export interface ServerFacts {
  /** The process; null once the server has ended, unless it was killed. */
  readonly pid: number | null;
  readonly version: string;
  /** The certificate of the doors with TLS; null if no door has TLS. */
  readonly certificate: {
    /** The path of the operator's certificate; null for the certificate that barge made. */
    readonly file: string | null;
    readonly fingerprint: string;
    readonly names: readonly string[];
    /** The start and the end of the certificate's validity, in RFC 3339. */
    readonly from: string;
    readonly until: string;
  } | null;
}

const lockFile = "lock";

/**
 * Makes a data directory, or the missing folders of one, readable by its owner only.
 *
 * @returns its real path
 * @throws {BargeError} `fatal`, also when its folders are on different file systems; `no-space`
 */
export function prepareData(data: string): string {
  try {
    Deno.mkdirSync(data, { recursive: true, mode: 0o700 });
    const owner = foreignOwner(data);
    for (const folder of ["public", "homes", stagingDir]) {
      const path = `${data}/${folder}`;
      const isNew = !existsSync(path);
      Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
      if (isNew) giveTo(owner, path);
    }
  } catch (error) {
    throw unusable(error, "make data directory", data);
  }
  requireOneFileSystem(data);
  return Deno.realPathSync(data);
}

/** Checks that a commit can rename a staged file, which works only within one file system. */
function requireOneFileSystem(data: string): void {
  const device = (folder: string) => Deno.statSync(`${data}/${folder}`).dev;
  const other = ["public", "homes"].find((folder) => device(folder) !== device(stagingDir));
  if (other === undefined) return;
  throw new BargeError("fatal", `its ${other}/ and ${stagingDir}/ are on different file systems`, {
    op: "use data directory",
    path: data,
    hint: "mount one file system for the whole data directory",
  });
}

/**
 * Locks the data directory for this process. The kernel releases the lock when the process ends.
 *
 * @throws {BargeError} `fatal` when another process has locked it, or the lock can't be written
 */
export async function lockData(data: string): Promise<DataLock> {
  const lock = await tryLock(data);
  if (lock) return lock;
  throw new BargeError("fatal", "another `barge serve` uses this data directory", {
    op: "lock",
    path: data,
    hint: "stop that one first, or name another with --data",
  });
}

/** Tries to lock the directory. @returns undefined when another process has locked it */
async function tryLock(data: string): Promise<DataLock | undefined> {
  const path = `${data}/${lockFile}`;
  const isNew = !existsSync(path);
  const file = await Deno.open(path, { create: true, write: true, mode: 0o600 })
    .catch((error) => Promise.reject(unusable(error, "lock", data)));
  if (isNew) giveTo(foreignOwner(data), path);
  if (await file.tryLock(true)) {
    let written: ServerFacts | undefined;
    return {
      writeFacts: (facts) => write(file, written = facts),
      [Symbol.dispose]() {
        try {
          // Another process may get the number, and would get the signal that is meant for the server.
          if (written) write(file, { ...written, pid: null });
        } catch { /* the disk is full: the number stays, as after a kill */ }
        file.close();
      },
    };
  }
  file.close();
  return undefined;
}

function write(file: Deno.FsFile, facts: ServerFacts): void {
  const bytes = new TextEncoder().encode(JSON.stringify(facts) + "\n");
  file.truncateSync();
  file.seekSync(0, Deno.SeekMode.Start);
  for (let sent = 0; sent < bytes.length;) sent += file.writeSync(bytes.subarray(sent));
}

/**
 * Returns the facts about the last server on a directory. The server may have ended since.
 *
 * @returns undefined if no facts were written, or they can't be read
 */
export function lastServer(data: string): ServerFacts | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(`${data}/${lockFile}`));
  } catch {
    return undefined;
  }
}

/**
 * Opens the database of a directory that this process has locked, after upgrading older tables.
 *
 * @param onUpgrade called after an upgrade
 * @throws {BargeError} as Database does; `no-space` if the copy of the old database does not fit
 */
export async function openUpToDate(
  data: string,
  options: OpenOptions,
  onUpgrade: (upgraded: Upgraded) => void,
): Promise<Database> {
  try {
    return new Database(data, options);
  } catch (error) {
    if (!(error instanceof OlderTables)) throw error;
    onUpgrade(await upgrade(data, error.from));
    return new Database(data, options);
  }
}

/**
 * Upgrades the tables of a directory that this process has not locked.
 *
 * @throws {BargeError} `fatal` while a server uses the directory
 */
export async function upgradeAlone(data: string, older: OlderTables): Promise<Upgraded> {
  using lock = await tryLock(data);
  if (!lock) {
    const why = `${older.message}, and a server of that version is running on it`;
    throw new BargeError("fatal", why, {
      op: "open database",
      path: older.path,
      cause: older,
      hint: "stop that server and start it with this barge, which upgrades the tables; " +
        "or use the older barge",
    });
  }
  return await upgrade(data, older.from);
}

/** Returns a failure to use the directory as a `fatal` error, but `no-space` as it is. */
function unusable(cause: unknown, op: string, path: string): BargeError {
  const error = typed(cause, { op, path });
  if (error.kind === "no-space") return error;
  if (existsSync(path) && !Deno.statSync(path).isDirectory) {
    const hint = "name a folder with --data";
    return new BargeError("fatal", "it is a file, not a folder", { op, path, hint, cause });
  }
  const hint = "name another with --data, or run as its owner";
  return new BargeError("fatal", error.message, { op, path, hint, cause });
}
