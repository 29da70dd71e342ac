/** Paths that earlier events touch. An event on one of them, above it or below it must wait. */
export class TouchedPaths {
  readonly #paths = new Set<string>();
  /** The folders that the paths are in, at every depth. */
  readonly #above = new Set<string>();

  /**
   * Adds paths.
   *
   * @param paths below the data directory: `homes/anna/a`
   *
   * @example
   * ```ts
   * import { TouchedPaths } from "./touched_paths.ts";
   * const touched = new TouchedPaths();
   * touched.add(["homes/anna/a/b"]);
   * if (!touched.meet(["homes/anna/a"]) || !touched.meet(["homes/anna/a/b/c"])) throw new Error();
   * if (touched.meet(["homes/anna/a/bc"])) throw new Error();
   * ```
   */
  add(paths: readonly string[]): void {
    for (const path of paths) {
      this.#paths.add(path);
      for (const folder of foldersOf(path)) this.#above.add(folder);
    }
  }

  /** Returns whether one of the paths is an added one, above one, or below one. */
  meet(paths: readonly string[]): boolean {
    return paths.some((path) =>
      this.#paths.has(path) || this.#above.has(path) ||
      foldersOf(path).some((folder) => this.#paths.has(folder))
    );
  }
}

/** Returns the folders that a path is in. */
function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let cut = path.indexOf("/"); cut !== -1; cut = path.indexOf("/", cut + 1)) {
    folders.push(path.slice(0, cut));
  }
  return folders;
}
