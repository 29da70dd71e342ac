/** The entry point of a worker, which runs threads and jobs of the catalog's lessons. */
/// <reference lib="deno.worker" />
import { loadLesson } from "../catalog.ts";
import { LessonThread } from "./lesson_thread.ts";
import { fromHandles } from "./primitives.ts";
import type { SchedulerLink } from "./protocol.ts";
import type { FromWorker, ToWorker } from "./worker_pool.ts";

const scope = self as unknown as DedicatedWorkerGlobalScope;
const turns = new Map<number, () => void>();
const timeouts = new Map<number, AbortController>();

scope.onmessage = async ({ data: message }: MessageEvent<ToWorker>) => {
  if (message.type === "startThread") await runThread(message);
  else if (message.type === "runJob") await runJob(message);
  else if (message.type === "resume") turns.get(message.id)?.();
  else timeouts.get(message.id)?.abort();
};

async function runThread(message: Extract<ToWorker, { type: "startThread" }>): Promise<void> {
  const { id, lesson, threadFunction, mayBlock, primitives, args } = message;
  const thread = new LessonThread(linkTo(id), mayBlock);
  try {
    const { functions } = await loadLesson(lesson);
    const result = await functions![threadFunction]!(thread, fromHandles(primitives), args);
    thread.end({ result });
  } catch (error) {
    thread.end({ error: describe(error) });
  } finally {
    turns.delete(id);
    timeouts.delete(id);
  }
}

async function runJob({ id, lesson, job, args }: Extract<ToWorker, { type: "runJob" }>) {
  try {
    const { jobs } = await loadLesson(lesson);
    const result = await jobs![job]!(args, (message) => post({ type: "message", id, message }));
    post({ type: "jobEnded", id, result });
  } catch (error) {
    post({ type: "jobEnded", id, error: describe(error) });
  }
}

function linkTo(id: number): SchedulerLink {
  return {
    report: (report) => post({ type: "report", id, report }),
    waitForTurn(report) {
      const { promise, resolve } = Promise.withResolvers<void>();
      turns.set(id, resolve);
      post({ type: "report", id, report });
      return promise;
    },
    timeoutSignal() {
      const timeout = new AbortController();
      timeouts.set(id, timeout);
      return timeout.signal;
    },
  };
}

function post(message: FromWorker): void {
  scope.postMessage(message);
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
