/** The consumer of the subject `queue`: takes all items, and posts a message after the last one. */
/// <reference lib="deno.worker" />
import { type Handle, Queue } from "../../sync/mod.ts";

export type ToConsumer =
  | { readonly type: "queue"; readonly handle: Handle<"Queue">; readonly count: number }
  | { readonly type: "messages"; readonly count: number }
  | { readonly type: "item"; readonly item: number };

const scope = self as unknown as DedicatedWorkerGlobalScope;
let left = 0;

scope.onmessage = ({ data }: MessageEvent<ToConsumer>) => {
  if (data.type === "item") {
    if (--left === 0) scope.postMessage("done");
    return;
  }
  scope.postMessage("ready");
  if (data.type === "messages") left = data.count;
  else {
    const queue = Queue.attach<number>(data.handle);
    for (let i = 0; i < data.count; i++) queue.get();
    scope.postMessage("done");
  }
};
