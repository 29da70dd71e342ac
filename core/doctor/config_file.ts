/**
 * Checks that the server can read the configuration file, and that only its owner can change it: it names programs
 * that the server runs. A file that every user can write is refused before.
 */
import { formatMode } from "../disk/file_mode.ts";
import type { Verdict } from "./finding.ts";
import { unreadable } from "./readable.ts";
import type { LocalSetup, Setup } from "./setup.ts";

const groupWrite = 0o020;

/** Returns a verdict on the file; none without --config. */
export function checkConfigFile(setup: Setup | LocalSetup): Verdict[] {
  const { config: path } = setup;
  if (path === undefined) return [];
  const refusal = unreadable(setup, "the configuration file", path);
  if (refusal) return [refusal];
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
