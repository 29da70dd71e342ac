/** The entry point of a worker, which runs threads and jobs of the catalog's lessons. */
/// <reference lib="deno.worker" />
import { loadLesson } from "../catalog.ts";
import { describeError, LessonThread } from "./lesson_thread.ts";
import { linkOver } from "./link.ts";
import { fromHandles } from "./primitives.ts";
import type { FromJob, ToWorker } from "./worker_pool.ts";

const scope = self as unknown as DedicatedWorkerGlobalScope;

scope.onmessage = async ({ data: message }: MessageEvent<ToWorker>) => {
  const { port, lesson, args } = message;
  if (message.type === "thread") {
    const { threadFunction, mayBlock, primitives } = message;
    const thread = new LessonThread(linkOver(port), mayBlock);
    await thread.runToEnd(async () => {
      const { functions } = await loadLesson(lesson);
      return await functions![threadFunction]!(thread, fromHandles(primitives), args);
    });
    return;
  }
  const post = (message: FromJob) => port.postMessage(message);
  try {
    const { jobs } = await loadLesson(lesson);
    post({ result: await jobs![message.job]!(args, (message) => post({ message })) });
  } catch (error) {
    post({ error: describeError(error) });
  }
};
