/** Runs work that the server can do without, and logs its failure. */
import { getLogger } from "@logtape/logtape";

const log = getLogger(["barge", "serve"]);

/** @param failure the beginning of the log line */
export async function attempt(
  failure: string,
  work: () => unknown,
  level: "warn" | "error" = "warn",
): Promise<void> {
  try {
    await work();
  } catch (error) {
    log[level](`${failure}: {why}`, { why: String(error) });
  }
}
