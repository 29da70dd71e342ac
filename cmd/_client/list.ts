/** Prints the listing of a remote folder, for `barge ls` and the shell. */
import type { Client } from "../../core/client/client.ts";
import { keepUp, print, printJson, printLine, terminal } from "../_term/out.ts";
import { entryFields, longLine, shownName } from "./entry.ts";
import { type Listed, listed, type ListedOptions } from "./listed.ts";
import type { Order } from "./sort.ts";

export interface PrintListOptions extends ListedOptions {
  /** Print size, time and owner. */
  readonly long: boolean;
  readonly json: boolean;
  /** The order of the entries. Default: a folder before its contents, by name. */
  readonly sort?: Order;
  readonly reverse?: boolean;
  /** The form of each line; undefined: the name, or with `long` more. */
  readonly format?: string;
  /** Called with each name of a listing that is neither long nor JSON; by default the name is printed. */
  readonly onName?: (name: string) => void;
}

/** Prints a folder with its entries, or a file. @throws {BargeError} as `listed` */
export async function printList(
  client: Client,
  path: string,
  options: PrintListOptions,
): Promise<void> {
  const { long, json, format, sort, reverse = false, signal, onName = printLine } = options;
  const toLine = format === undefined
    ? undefined
    : (await import("./format.ts")).lineFormat(format, terminal.stdout);
  const show = async ({ path, entry }: Listed) => {
    const behind = keepUp(signal);
    if (behind) await behind;
    if (json) return printJson(entryFields(path, entry));
    if (toLine) return print(toLine(path, entry));
    const name = shownName(entry, entry.name, terminal.stdout);
    if (long) printLine(longLine(entry, name));
    else onName(name);
  };
  const entries = listed(client, path, options);
  if (sort === undefined && !reverse) {
    for await (const entry of entries) await show(entry);
    return;
  }
  const { sortEntries } = await import("./sort.ts");
  const all = await Array.fromAsync(entries);
  for (const entry of sortEntries(all, sort ?? "name", reverse)) await show(entry);
}
