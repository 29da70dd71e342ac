/** Reports files of options that can't be read, or hold no key or certificate. */
import type { Verdict } from "./finding.ts";
import type { Setup } from "./setup.ts";

/** Returns a verdict for each unusable file of an option. `secret-files` reports secrets that can't be read. */
export function checkNamedFiles({ unusableFiles }: Setup): Verdict[] {
  return unusableFiles.map(({ option, path, why }) => ({
    severity: "bad",
    message: `The file of ${option} can't be used: ${why}.`,
    advice: "Correct the option or the file, or give the server's user the right to read it.",
    path,
  }));
}
