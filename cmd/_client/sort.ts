/** Sorts listings. */
import { parseTime } from "../../core/protocol/time.ts";
import type { Listed } from "./listed.ts";

/** `size`: the largest first; `time`: the newest first; `name`: by code units. */
export type Order = "size" | "time" | "name";

/** Sorts entries; equal ones by name. */
export function sortEntries(entries: Listed[], order: Order, reverse: boolean): Listed[] {
  const byName = ({ entry: a }: Listed, { entry: b }: Listed) =>
    a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
  const time = ({ entry }: Listed) => parseTime(entry.modified)!;
  const compare = {
    size: (a: Listed, b: Listed) => b.entry.size - a.entry.size,
    time: (a: Listed, b: Listed) => time(b) - time(a),
    name: byName,
  }[order];
  entries.sort((a, b) => compare(a, b) || byName(a, b));
  return reverse ? entries.reverse() : entries;
}
