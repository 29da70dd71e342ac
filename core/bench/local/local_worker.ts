/** A worker of `barge bench` that does a job and posts a message when it is done. */
/// <reference lib="deno.worker" />
import { doJob, type Job } from "./job.ts";

const scope = self as unknown as DedicatedWorkerGlobalScope;
scope.onmessage = async ({ data }: MessageEvent<Job>) => {
  await doJob(data);
  scope.postMessage(null);
};
