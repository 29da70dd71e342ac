/** Runs work for several remote paths, and continues when one fails. */
import { AtOnce } from "./at_once.ts";
import { trimSlashes } from "../../core/client/path.ts";
import { type Kind, typed } from "../../core/error.ts";
import { sharedCode } from "../_term/exit.ts";
import { report, withVerb } from "../_term/fail.ts";

/** Failures that the other paths would have, too. */
const fatalKinds: readonly Kind[] = ["interrupted", "unavailable", "protocol", "identity"];

/**
 * Calls `work` with one remote path after the other. Reports failures on standard error.
 *
 * @param paths slashes at their ends are removed
 * @param atOnce the most paths for which work is under way
 * @returns the exit code that all failures share, else 1
 * @throws {BargeError} the failure of a single path, and one that ends the connection
 */
export async function eachPath(
  op: string,
  paths: readonly string[],
  work: (path: string) => Promise<void>,
  atOnce = 1,
): Promise<number> {
  const failures: Kind[] = [];
  const one = async (path: string) => {
    try {
      await work(path);
    } catch (cause) {
      const error = withVerb(typed(cause, { op, path }), op);
      if (paths.length === 1 || fatalKinds.includes(error.kind)) throw error;
      report(error, { debug: false });
      failures.push(error.kind);
    }
  };
  const pending = new AtOnce(atOnce);
  for (const path of paths.map(trimSlashes)) await pending.add(one(path));
  await pending.done();
  return sharedCode(failures);
}
