/** Reads the `.bargeignore` files of a local tree. */
import { join } from "../path.ts";
import { localFailure } from "../transfer/local_failure.ts";
import { ignoreFileName } from "./excluded.ts";
import { IgnoreRules } from "./ignore_rules.ts";

export class IgnoreFiles {
  readonly rules = new IgnoreRules();

  /**
   * Reads the file of a folder. A folder of that name has no rules.
   *
   * @param root the local folder of the tree
   * @param folder relative to the root
   * @throws {BargeError} the failure to read it, or `usage` for its rules
   */
  read(root: string, folder: string): void {
    const path = join(join(root, folder), ignoreFileName);
    try {
      if (Deno.statSync(path).isDirectory) return;
      this.rules.add(folder, Deno.readTextFileSync(path));
    } catch (cause) {
      throw localFailure("read", path, cause).with({ op: "read", path });
    }
  }
}
