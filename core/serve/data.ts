/** The data directory: made, and held by one server at a time. */
import { BargeError, typed } from "../error.ts";
import { foreignOwner, giveTo } from "../net/owner.ts";
import { stagingDir } from "../vault/staging.ts";

/** A data directory that is ours until it is disposed of. */
export interface Held extends Disposable {
  readonly data: string;
}

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
  const path = `${data}/lock`;
  const made = !exists(path);
  const file = await Deno.open(path, { create: true, write: true, mode: 0o600 })
    .catch((error) => {
      throw unusable(error, "lock", data);
    });
  if (made) giveTo(foreignOwner(data), path);
  if (await file.tryLock(true)) return { data, [Symbol.dispose]: () => file.close() };
  file.close();
  throw new BargeError("fatal", "another `barge serve` uses this data directory", {
    op: "lock",
    path: data,
    hint: "stop that one first, or name another with --data",
  });
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound); // what opens it says what else is wrong
  }
}

/** A server without its directory can't go on: `fatal`, unless there may be room later. */
function unusable(cause: unknown, op: string, path: string): BargeError {
  const error = typed(cause, { op, path });
  if (error.kind === "no-space") return error;
  const hint = "name another with --data, or run as whom it belongs to";
  return new BargeError("fatal", error.message, { op, path, hint, cause });
}
