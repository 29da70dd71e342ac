/** The brake of `--delete`: the most entries that a transfer may remove. */
import { BargeError } from "../../error.ts";
import { conflicts } from "./conflict.ts";
import { type Item, notKept } from "./plan.ts";

/** A number of files and folders, or a share of those that exist at the target. */
export type MaxDelete = { readonly entries: number } | { readonly percent: number };

/**
 * Checks, before a tree is transferred, the number of files and folders at its target that would be
 * removed or replaced by something of another type.
 *
 * @param path the target's folder, for the message
 * @param existing the target's items
 * @param items the items to transfer
 * @param kept the names that stay at the target
 * @throws {BargeError} `refused` for more than `max`
 */
export function checkRemovals(
  path: string,
  existing: readonly Item[],
  items: readonly Item[],
  kept: Iterable<string>,
  max: MaxDelete,
): void {
  const targets = new Map(existing.map((item) => [item.name, item]));
  const removed = notKept(existing, kept).length + conflicts(items, targets).size;
  const total = existing.filter(({ name }) => name !== "").length;
  const [limit, option] = "entries" in max
    ? [max.entries, String(max.entries)]
    : [total * max.percent / 100, `${max.percent}%`];
  if (removed <= limit) return;
  throw new BargeError(
    "refused",
    `--delete would remove ${removed} of ${total} entries, more than --max-delete ${option}; ` +
      "nothing was transferred or removed",
    {
      path,
      hint: "look at the source; a larger --max-delete allows it, and with --dry-run prints what " +
        "would go",
    },
  );
}
