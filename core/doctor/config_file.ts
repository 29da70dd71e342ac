/**
 * Checks that only its owner can change the configuration file, which names programs that the server runs. A
 * file that every user can write is refused before.
 */
import { formatMode } from "./file_mode.ts";
import type { Verdict } from "./finding.ts";
import type { Setup } from "./setup.ts";

const groupWrite = 0o020;

/** Returns a verdict on the mode of the file; none without --config. */
export function checkConfigFile({ config: path }: Setup): Verdict[] {
  if (path === undefined) return [];
  const { mode } = Deno.statSync(path);
  if (mode === null) return [];
  if ((mode & groupWrite) === 0) {
    const message = "Only its owner can change the configuration file.";
    return [{ severity: "ok", message, path }];
  }
  const message =
    `The mode of the configuration file, ${formatMode(mode)}, lets its group change it, ` +
    "and so the programs that the server runs.";
  const advice = `Run chmod g-w ${path}, unless the group has its owner alone.`;
  return [{ severity: "note", message, advice, path }];
}
