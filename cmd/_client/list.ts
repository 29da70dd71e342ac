/** Prints the listing of a remote folder, for `barge ls` and the shell. */
import type { Client } from "../../core/client/client.ts";
import { list } from "../../core/client/list.ts";
import { join, trimSlashes } from "../../core/client/path.ts";
import { stat } from "../../core/client/stat.ts";
import type { Omission } from "../../core/protocol/message.ts";
import { describeOmission } from "../../core/protocol/omission.ts";
import { keepUp, note, printJson, printLine, terminal } from "../_term/out.ts";
import { entryFields, longLine, shownName } from "./entry.ts";

export interface PrintListOptions {
  readonly recursive: boolean;
  /** Print size, time and owner. */
  readonly long: boolean;
  readonly json: boolean;
  /** Called with each name of a listing that is neither long nor JSON; by default the name is printed. */
  readonly onName?: (name: string) => void;
  readonly signal: AbortSignal;
}

/** Prints a folder with its entries, or a file. @throws {BargeError} as `list` */
export async function printList(
  client: Client,
  named: string,
  { recursive, long, json, onName = printLine, signal }: PrintListOptions,
): Promise<void> {
  const path = trimSlashes(named);
  const isFile = (await stat(client, path)).entry?.type === "file";
  const options = {
    recursive,
    onOmitted: (omission: Omission) => note(`barge: ${path}: ${describeOmission(omission)}`),
  };
  for await (const entry of list(client, path, options)) {
    signal.throwIfAborted();
    const behind = keepUp(signal);
    if (behind) await behind;
    const name = shownName(entry, isFile ? path : entry.name, terminal.stdout);
    if (json) printJson(entryFields(isFile ? path : join(path, entry.name), entry));
    else if (long) printLine(longLine(entry, name));
    else onName(name);
  }
}
