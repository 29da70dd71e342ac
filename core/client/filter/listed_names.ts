/** The names of `--files-from`: files, and folders with their contents. */
import { BargeError } from "../../error.ts";
import { trimSlashes } from "../path.ts";

export class ListedNames {
  readonly #names: ReadonlySet<string>;
  readonly #above = new Set<string>();

  /** @param names as {@link relativeName} returns them */
  constructor(names: readonly string[]) {
    this.#names = new Set(names);
    for (const name of this.#names) {
      for (let end = name.lastIndexOf("/"); end > 0; end = name.lastIndexOf("/", end - 1)) {
        const above = name.slice(0, end);
        if (this.#above.has(above)) break;
        this.#above.add(above);
      }
    }
  }

  /** Returns whether a name is listed, or a folder above it is. */
  covers(name: string): boolean {
    if (this.#names.has("") || this.#names.has(name)) return true;
    for (let at = name.indexOf("/"); at !== -1; at = name.indexOf("/", at + 1)) {
      if (this.#names.has(name.slice(0, at))) return true;
    }
    return false;
  }

  /** Returns whether a name is covered, or is a folder above a listed name. */
  leadsTo(name: string, type: "file" | "dir"): boolean {
    return type === "dir" && this.#above.has(name) || this.covers(name);
  }
}

/**
 * Returns a listed name relative to a folder; "" for the folder itself.
 *
 * @param name relative to the folder, or an absolute path below it
 * @throws {BargeError} `usage` for a name that is not below the folder
 *
 * @example
 * ```ts
 * import { relativeName } from "./listed_names.ts";
 * const names = ["./a//b/", "/srv/data/a/b", "a/b"].map((name) => relativeName(name, "/srv/data/"));
 * if (names.join() !== "a/b,a/b,a/b") throw new Error(names.join());
 * ```
 */
export function relativeName(name: string, folder: string): string {
  const root = trimSlashes(folder);
  const prefix = root === "/" ? "/" : `${root}/`;
  const isBelow = `${name}/`.startsWith(prefix);
  const own = name.startsWith("/") && isBelow ? name.slice(prefix.length) : name;
  const parts = own.split("/").filter((part) => part !== "" && part !== ".");
  if (!own.startsWith("/") && !parts.includes("..")) return parts.join("/");
  throw new BargeError("usage", `${JSON.stringify(name)} is not below ${folder}`, {
    op: "--files-from",
  });
}
