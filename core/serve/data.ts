/** The data directory: how it is made, locked by one server at a time, and upgraded. */
import { Database, type OpenOptions } from "../local/database/database.ts";
import { OlderTables } from "../local/database/older_tables.ts";
import { upgrade, type Upgraded } from "../local/upgrade.ts";
import { BargeError, typed } from "../error.ts";
import { foreignOwner, giveTo } from "../disk/owner.ts";
import { stagingDir } from "../local/vault/staging.ts";

/** A data directory that is ours until it is disposed of. */
export interface Held extends Disposable {
  readonly data: string;
  /** Writes public facts about the server into the lock's file. @throws the failure of the write */
  note(facts: ServerFacts): void;
}

/** Facts that a server writes down, for commands on the same directory. */
export interface ServerFacts {
  readonly pid: number;
  readonly version: string;
  /** The certificate that it shows; null where no door has TLS. */
  readonly certificate: {
    /** The operator's file; null for the one that barge made. */
    readonly file: string | null;
    readonly fingerprint: string;
    readonly names: readonly string[];
    /** RFC 3339. */
    readonly from: string;
    readonly until: string;
  } | null;
}

const lockFile = "lock";

/**
 * Makes what is missing of a data directory, only for its owner's eyes.
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
      const made = !exists(path);
      Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
      if (made) giveTo(owner, path);
    }
  } catch (error) {
    throw unusable(error, "make data directory", data);
  }
  needOneDisk(data);
  return Deno.realPathSync(data);
}

/** What is staged is renamed into place, which no system can do across file systems. */
function needOneDisk(data: string): void {
  const device = (folder: string) => Deno.statSync(`${data}/${folder}`).dev;
  const other = ["public", "homes"].find((folder) => device(folder) !== device(stagingDir));
  if (other === undefined) return;
  throw new BargeError("fatal", `its ${other}/ and ${stagingDir}/ are on different file systems`, {
    ...{ op: "use data directory", path: data },
    hint: "mount one file system for the whole data directory",
  });
}

/**
 * Takes the data directory for this process. The lock is the kernel's: it goes with the process,
 * however that ends.
 *
 * @throws {BargeError} `fatal` when another server has it, or it can't be written
 */
export async function holdData(data: string): Promise<Held> {
  const held = await tryHold(data);
  if (held) return held;
  throw new BargeError("fatal", "another `barge serve` uses this data directory", {
    op: "lock",
    path: data,
    hint: "stop that one first, or name another with --data",
  });
}

/** @returns undefined when another process holds it */
async function tryHold(data: string): Promise<Held | undefined> {
  const path = `${data}/${lockFile}`;
  const made = !exists(path);
  const file = await Deno.open(path, { create: true, write: true, mode: 0o600 })
    .catch((error) => {
      throw unusable(error, "lock", data);
    });
  if (made) giveTo(foreignOwner(data), path);
  if (await file.tryLock(true)) {
    return { data, note: (facts) => write(file, facts), [Symbol.dispose]: () => file.close() };
  }
  file.close();
  return undefined;
}

function write(file: Deno.FsFile, facts: ServerFacts): void {
  const bytes = new TextEncoder().encode(JSON.stringify(facts) + "\n");
  file.truncateSync();
  file.seekSync(0, Deno.SeekMode.Start);
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
}

/**
 * Returns the facts of the last server on a directory, which may have ended since.
 *
 * @returns undefined where no facts were written, or they can't be read
 */
export function lastServer(data: string): ServerFacts | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(`${data}/${lockFile}`));
  } catch {
    return undefined;
  }
}

/**
 * Upgrades the tables of a directory that is held, and opens its database.
 *
 * @param onUpgrade called with the versions and the copy, if tables were upgraded
 * @throws {BargeError} as Database does; `no-space` where the copy of the old tables does not fit
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
 * Upgrades the tables of a directory that is not held.
 *
 * @param older the failure to open its database
 * @throws {BargeError} `fatal` while a server uses the directory
 */
export async function upgradeAlone(data: string, older: OlderTables): Promise<Upgraded> {
  const held = await tryHold(data);
  if (!held) {
    throw new BargeError(
      "fatal",
      `${older.message}, and the server of that older barge runs on it`,
      {
        ...{ op: "open database", path: older.path, cause: older },
        hint:
          "stop that server, and start it with this barge: that brings the tables up to date; " +
          "or use the older barge",
      },
    );
  }
  using _held = held;
  return await upgrade(data, older.from);
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound); // the later open reports any other failure
  }
}

/** A server without its directory can't go on: `fatal`, unless there may be room later. */
function unusable(cause: unknown, op: string, path: string): BargeError {
  const error = typed(cause, { op, path });
  if (error.kind === "no-space") return error;
  const hint = "name another with --data, or run as whom it belongs to";
  return new BargeError("fatal", error.message, { op, path, hint, cause });
}
