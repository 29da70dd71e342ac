/** A worker that does one job and says so: what stands for a thread in `barge bench`. */
/// <reference lib="deno.worker" />
import { doJob, type Job } from "./job.ts";

const scope = self as unknown as DedicatedWorkerGlobalScope;
scope.onmessage = async ({ data }: MessageEvent<Job>) => {
  await doJob(data);
  scope.postMessage(null);
};
