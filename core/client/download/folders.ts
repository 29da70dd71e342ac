/** The names in local folders before a download writes there. Each folder is read once. */
import { isPartName } from "../transfer/part_name.ts";

/** The most names that are stored of a folder; in larger ones, each name is looked up. */
const maxNames = 100_000;

interface Folder {
  /** Undefined: unreadable, or too many. */
  readonly names: ReadonlySet<string> | undefined;
  /** The names of the parts of interrupted downloads. */
  readonly parts: readonly string[];
}

export class Folders {
  readonly #folders = new Map<string, Folder>();

  /** Returns whether a name is known to have been free. */
  lacks(folder: string, name: string): boolean {
    return this.#folder(folder).names?.has(name) === false;
  }

  /** Returns the names of the parts that earlier runs left. */
  parts(folder: string): readonly string[] {
    return this.#folder(folder).parts;
  }

  #folder(path: string): Folder {
    let folder = this.#folders.get(path);
    if (!folder) this.#folders.set(path, folder = read(path));
    return folder;
  }
}

function read(path: string): Folder {
  const names = new Set<string>();
  const parts: string[] = [];
  try {
    for (const { name } of Deno.readDirSync(path)) {
      if (names.size <= maxNames) names.add(name);
      if (isPartName(name)) parts.push(name);
    }
  } catch {
    return { names: undefined, parts: [] }; // the write that follows fails with the reason
  }
  return { names: names.size > maxNames ? undefined : names, parts };
}
