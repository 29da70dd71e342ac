/** Runs the checks of a setup, one after the other, in the order of their tables. */
import { typed } from "../error.ts";
import { type Check, commonChecks, localChecks, sharedChecks } from "./checks.ts";
import type { Finding, Verdict } from "./finding.ts";
import type { LocalSetup, Setup, SharedSetup } from "./setup.ts";

/**
 * Runs the checks that a setup allows. Changes nothing.
 *
 * @param setup with a data directory, with shared storage, or with neither
 * @throws the reason of the signal
 */
export async function* examine(
  setup: Setup | LocalSetup | SharedSetup,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  const stopped = Promise.withResolvers<never>();
  stopped.promise.catch(() => {/* awaited beside each check */});
  const stop = () => stopped.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  const failed = new Set<string>();
  try {
    for (const { id, needs, run } of rowsOf(setup)) {
      signal.throwIfAborted();
      if (needs !== undefined && failed.has(needs)) continue;
      const verdicts = await Promise.race([attempt(run), stopped.promise]);
      for (const verdict of verdicts) {
        if (verdict.severity === "bad") failed.add(id);
        yield { id, ...verdict };
      }
    }
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

interface Row extends Pick<Check<never>, "id" | "needs"> {
  readonly run: () => readonly Verdict[] | Promise<readonly Verdict[]>;
}

function rowsOf(setup: Setup | LocalSetup | SharedSetup): Row[] {
  const bound = <T>(checks: readonly Check<T>[], given: T): Row[] =>
    checks.map(({ id, needs, run }) => ({ id, needs, run: () => run(given) }));
  const common = bound(commonChecks, setup);
  if ("data" in setup) return [...bound(localChecks, setup), ...common];
  if ("storage" in setup) return [...bound(sharedChecks, setup), ...common];
  return common;
}

/** Runs a check. Its failure is a verdict, so that the others run. */
async function attempt(run: Row["run"]): Promise<readonly Verdict[]> {
  try {
    return await run();
  } catch (cause) {
    const error = typed(cause);
    const message = `This can't be checked: ${error.message}.`;
    const advice = error.hint === undefined
      ? "Run doctor as the server's user, or as root."
      : `${error.hint[0].toUpperCase()}${error.hint.slice(1)}.`;
    return [{ severity: "warn", message, advice, path: error.path }];
  }
}
