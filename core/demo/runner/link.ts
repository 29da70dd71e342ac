import type { Report, SchedulerLink, ToThread } from "./protocol.ts";

/**
 * Connects a thread with the scheduler.
 *
 * @param port to the scheduler; once it is closed, the thread waits for its turn forever
 * @param terminated ends the waits of a task, which cannot be ended like a worker
 */
export function linkOver(port: MessagePort, terminated?: AbortSignal): SchedulerLink {
  let resume: (() => void) | undefined;
  let timeout: AbortController | undefined;
  port.onmessage = ({ data }: MessageEvent<ToThread>) => {
    if (data === "resume") resume?.();
    else timeout?.abort();
  };
  return {
    report: (report) => port.postMessage(report),
    waitForTurn(report: Report) {
      const turn = Promise.withResolvers<void>();
      resume = turn.resolve;
      port.postMessage(report);
      return turn.promise;
    },
    timeoutSignal() {
      timeout = new AbortController();
      return terminated ? AbortSignal.any([timeout.signal, terminated]) : timeout.signal;
    },
  };
}
