/** Rules in gitignore's form, of one file or of files in several folders of a tree. */
import ignore, { type Ignore } from "ignore";
import { BargeError } from "../../error.ts";

export class IgnoreRules {
  /** The rules by the folder that they hold for. */
  readonly #folders = new Map<string, Ignore>();

  /**
   * Adds the rules of a file.
   *
   * @param folder the folder that the file is in, relative to the root of the tree
   * @throws {BargeError} `usage` for a rule that can't be compiled
   */
  add(folder: string, text: string): void {
    try {
      this.#folders.set(folder, ignore({ ignorecase: false }).add(text));
    } catch (cause) {
      throw new BargeError("usage", "its rules can't be compiled", { cause });
    }
  }

  /**
   * Returns whether a name is left out. As in git, the file in the nearest folder with a rule for the
   * name decides, and in that file the last rule.
   */
  ignores(name: string, type: "file" | "dir"): boolean {
    for (let end = name.lastIndexOf("/");; end = name.lastIndexOf("/", end - 1)) {
      const folder = end < 0 ? "" : name.slice(0, end);
      const inside = end < 0 ? name : name.slice(end + 1);
      const rules = inside === "" ? undefined : this.#folders.get(folder);
      const result = rules?.test(type === "dir" ? `${inside}/` : inside);
      if (result?.ignored) return true;
      if (result?.unignored || end <= 0) return false;
    }
  }
}
