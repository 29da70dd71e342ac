/** The order in which a check visits the folders of the ledger. */

const encoder = new TextEncoder();

/**
 * Compares two folders: each comes before its subfolders, and siblings come in the order of their UTF-8 bytes,
 * as the ledger has them.
 *
 * @returns less than 0 if `a` comes first, 0 for the same folder
 *
 * @example
 * ```ts
 * import { compareOrder } from "./order.ts";
 * const paths = ["homes", "homes/a", "homes/a/z", "homes/a-b", "homes/b", "public"];
 * if (paths.toReversed().sort(compareOrder).join() !== paths.join()) throw new Error();
 * ```
 */
export function compareOrder(a: string, b: string): number {
  const [one, other] = [a.split("/"), b.split("/")];
  for (const [i, name] of one.entries()) {
    if (i === other.length) return 1;
    const order = compareBytes(encoder.encode(name), encoder.encode(other[i]));
    if (order !== 0) return order;
  }
  return one.length - other.length;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}
