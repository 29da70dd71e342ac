/** Texts of the summaries of `barge verify` and `barge quota verify`. */
import { note } from "../_term/out.ts";
import { counted } from "../_term/progress.ts";

/** Returns the number of differences: `all agree`, `1 differs`, `2 differ`. */
export function describeDifferences(count: number): string {
  return count === 0 ? "all agree" : counted(count, "differs", "differ");
}

/** Notes the number of copies whose bytes agree with their digests, if there are any. */
export function noteCopies(count: number): void {
  if (count === 0) return;
  note(
    `${counted(count, "file is a copy", "files are copies")}, as after a restore: the bytes agree`,
  );
}
