/**
 * What was in local folders when they were first written to. A tree goes into few folders, so that
 * each is read once, instead of asking for each file whether its name is taken.
 */

import { isPartName } from "../transfer/part_name.ts";

/** The longest list that is kept: to read a folder of more takes longer than to ask. */
const most = 100_000;

interface Folder {
  /** Undefined where they can't be known, or are too many. */
  readonly names: ReadonlySet<string> | undefined;
  /** Those of half-finished downloads. */
  readonly parts: readonly string[];
}

export class Folders {
  readonly #folders = new Map<string, Folder>();

  /** Was a name surely not there? */
  lacks(folder: string, name: string): boolean {
    return this.#folder(folder).names?.has(name) === false;
  }

  /** The names of downloads that earlier runs did not finish. */
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
      if (names.size <= most) names.add(name);
      if (isPartName(name)) parts.push(name);
    }
  } catch {
    return { names: undefined, parts: [] }; // whoever writes there is told why not
  }
  return { names: names.size > most ? undefined : names, parts };
}
