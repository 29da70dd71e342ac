/** The line between the director and an agent that is an async task of this isolate. */
import type { Line, Reins, Report } from "./protocol.ts";

/**
 * Both ends of it.
 *
 * @param reports where the agent's reports go
 * @param cut its waits are aborted by it
 */
export function taskLine(
  reports: (report: Report) => void,
): { readonly line: Line; readonly reins: Reins } {
  const cut = new AbortController();
  let turn: (() => void) | undefined;
  let limit: AbortController | undefined;
  return {
    line: {
      tell: (report) => cut.signal.aborted || reports(report),
      turn(report) {
        // One that was cut off never gets a turn again; nothing refers to it then.
        if (cut.signal.aborted) return new Promise(() => {});
        const { promise, resolve } = Promise.withResolvers<void>();
        turn = resolve;
        reports(report);
        return promise;
      },
      timeout() {
        limit = new AbortController();
        return AbortSignal.any([limit.signal, cut.signal]);
      },
    },
    reins: {
      go: () => turn?.(),
      timeUp: () => limit?.abort(),
      cut: () => cut.abort(),
    },
  };
}
