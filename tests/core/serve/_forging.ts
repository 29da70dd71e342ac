/**
 * Replaces a worker by one that was broken into: it listens, and posts the messages in DATA/public/forged.
 * Each start adds a line to DATA/public/starts.
 */
/// <reference lib="deno.worker" />
import type { ToWorker } from "../../../core/serve/worker.ts";
import { dataOf } from "./_ground.ts";

const scope = self as unknown as DedicatedWorkerGlobalScope;

scope.onmessage = ({ data: message }: MessageEvent<ToWorker>) => {
  if (message.type === "stop") return scope.postMessage({ type: "stopped" });
  if (message.type !== "start") return;
  const data = dataOf(message.settings);
  Deno.writeTextFileSync(`${data}/public/starts`, "start\n", { append: true });
  scope.postMessage({ type: "listening" });
  const text = Deno.readTextFileSync(`${data}/public/forged`);
  for (const forged of JSON.parse(text)) scope.postMessage(forged);
};
