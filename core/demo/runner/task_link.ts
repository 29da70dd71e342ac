import type { Report, SchedulerLink, ThreadControl } from "./protocol.ts";

/**
 * Connects the scheduler with a thread that is an async task of this isolate.
 *
 * @param report receives the thread's reports
 */
export function linkTask(
  report: (report: Report) => void,
): { readonly link: SchedulerLink; readonly control: ThreadControl } {
  const terminated = new AbortController();
  let resume: (() => void) | undefined;
  let timeout: AbortController | undefined;
  return {
    link: {
      report: (each) => terminated.signal.aborted || report(each),
      waitForTurn(each) {
        // A terminated task waits forever. Nothing refers to it, so it is garbage.
        if (terminated.signal.aborted) return new Promise(() => {});
        const turn = Promise.withResolvers<void>();
        resume = turn.resolve;
        report(each);
        return turn.promise;
      },
      timeoutSignal() {
        timeout = new AbortController();
        return AbortSignal.any([timeout.signal, terminated.signal]);
      },
    },
    control: {
      resume: () => resume?.(),
      timeOut: () => timeout?.abort(),
      terminate: () => terminated.abort(),
    },
  };
}
