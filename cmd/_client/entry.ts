/** Prints remote files and folders. */
import type { Answer, Entry } from "../../core/protocol/message.ts";
import { print, printJson, printLine } from "../_term/out.ts";
import { minute } from "../_term/table.ts";
import { oneLine, printable } from "../../core/protocol/printable.ts";

/**
 * Returns a file or folder as `ls --json` and `stat --json` show it. Fields may be added (here, in
 * `noEntry`, and in `Entry` of core/protocol/message.ts), but not changed or removed.
 */
export function entryFields(path: string, entry: Entry) {
  const { type, size, modified, owner, sha256 } = entry;
  const name = entry.name.slice(entry.name.lastIndexOf("/") + 1);
  return { path, name, type, size, modified, owner, sha256 };
}

/** Prints the answer of `stat`. */
export function printStat(path: string, { entry, upload }: Answer<"stat">, json: boolean): void {
  if (json) {
    printJson({ path, ...(entry ? entryFields(path, entry) : noEntry), upload });
    return;
  }
  printLine(path);
  if (entry) {
    print(`  type      ${entry.type}`);
    if (entry.type === "file") print(`  size      ${entry.size}`);
    print(`  modified  ${entry.modified}`);
    if (entry.owner !== null) printLine(`  owner     ${entry.owner}`);
    if (entry.sha256 !== null) print(`  sha256    ${entry.sha256}`);
  }
  if (upload) print(`  upload    ${upload.offset} of ${upload.size ?? "?"} bytes received`);
}

/** The fields of a name that has only a partial upload. */
const noEntry = { name: null, type: null, size: null, modified: null, owner: null, sha256: null };

/** Returns a line of `ls -l`: size, time, owner, name. */
export function longLine(entry: Entry, name: string): string {
  const size = entry.type === "dir" ? "-" : String(entry.size);
  return `${size.padStart(13)}  ${minute(entry.modified)}  ${
    (entry.owner ?? "-").padEnd(12)
  }  ${name}`;
}

/** Returns a name without control characters or line ends, and a slash after a folder. */
export function shownName(entry: Entry, name: string, toTerminal: boolean): string {
  return (toTerminal ? printable(name) : oneLine(name)) + (entry.type === "dir" ? "/" : "");
}
