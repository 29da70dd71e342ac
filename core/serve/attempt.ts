/** Runs work whose failure must not stop the server, and logs the failure. */
import { getLogger } from "@logtape/logtape";

const log = getLogger(["barge", "serve"]);

/** Runs work, and logs its failure. @param failure the beginning of the log line */
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
