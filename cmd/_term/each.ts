/** Does the same with several things, and goes on when one fails. */
import { trimSlashes } from "../../core/client/path.ts";
import { type Kind, typed } from "../../core/error.ts";
import { sharedCode } from "./exit.ts";
import { inWordsOf, report } from "./fail.ts";

/** Failures that would hit the others, too. */
const hopeless: readonly Kind[] = ["interrupted", "unavailable", "protocol", "identity"];

/**
 * Calls `work` with one remote path after the other. What fails is said on standard error.
 *
 * @param paths with or without a slash at the end, which means nothing here and is taken off
 * @returns the exit code: that which all failures share, else 1
 * @throws {BargeError} a failure after which there is no going on
 */
export async function eachPath(
  op: string,
  paths: readonly string[],
  work: (path: string) => Promise<void>,
): Promise<number> {
  const failures: Kind[] = [];
  for (const path of paths.map(trimSlashes)) {
    try {
      await work(path);
    } catch (cause) {
      const error = inWordsOf(typed(cause, { op, path }), op);
      if (paths.length === 1 || hopeless.includes(error.kind)) throw error;
      report(error, { debug: false });
      failures.push(error.kind);
    }
  }
  return sharedCode(failures);
}
