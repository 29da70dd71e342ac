/** Reports files that options name and that hold nothing usable. */
import type { Verdict } from "./finding.ts";
import type { Setup } from "./setup.ts";

/** Returns a verdict for each file that the options could not use; `secret-files` has those with the mode alone. */
export function checkNamedFiles({ unusableFiles }: Setup): Verdict[] {
  return unusableFiles.map(({ option, path, why }) => ({
    severity: "bad",
    message: `The file of ${option} can't be used: ${why}.`,
    advice: "Correct the option or the file, or give the server's user the right to read it.",
    path,
  }));
}
