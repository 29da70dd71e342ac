/** Notes the copies that a repair has entered in the ledger. */
import { note } from "../_term/out.ts";
import { number } from "../_term/progress.ts";

/** Notes the number of copies whose bytes agree with their digests, if there are any. */
export function noteCopies(count: number): void {
  if (count === 0) return;
  const copies = count === 1 ? "1 file is a copy" : `${number(count)} files are copies`;
  note(`${copies}, as after a restore: the bytes agree`);
}
