/** The check of all files in a data directory that the regular verification runs beside the server. */
import type { Store } from "../local/store.ts";
import type { VerifyOptions } from "../storage/verify/verification.ts";
import { reconcile } from "./reconcile.ts";

/**
 * Compares the ledger with the disk, from a position on, and changes nothing.
 *
 * @throws the signal's reason; {BargeError} as the database
 */
export async function verifyFiles(store: Store, options: VerifyOptions): Promise<void> {
  const { after, maxBytesPerSecond, signal, onChecked, onBytes, onProblem } = options;
  await reconcile(store, {
    repair: false,
    contents: true,
    after,
    maxBytesPerSecond,
    signal,
    onChecked: (path) => onChecked(path, 1),
    onEvent: (event) => event.type === "bytes" && onBytes(event.count),
    onProblem,
  });
}
