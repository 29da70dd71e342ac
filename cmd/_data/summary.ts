/** Texts of the summaries of `barge verify` and `barge quota verify`. */
import { note } from "../_term/out.ts";
import { number } from "../_term/progress.ts";

/** Returns the number of differences: `all agree`, `1 differs`, `2 differ`. */
export function describeDifferences(count: number): string {
  return count === 0 ? "all agree" : `${number(count)} ${count === 1 ? "differs" : "differ"}`;
}

/** Notes the number of copies whose bytes agree with their digests, if there are any. */
export function noteCopies(count: number): void {
  if (count === 0) return;
  const copies = count === 1 ? "1 file is a copy" : `${number(count)} files are copies`;
  note(`${copies}, as after a restore: the bytes agree`);
}
