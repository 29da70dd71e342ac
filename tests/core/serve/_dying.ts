/**
 * Replaces a worker: records each start, listens, and dies, three times. The first time it waits for the
 * file `dies`, so that the supervisor knows that it listens.
 */
/// <reference lib="deno.worker" />
import type { FromWorker } from "../../../core/serve/from_worker.ts";
import type { ToWorker } from "../../../core/serve/worker.ts";
import { dataOf } from "./_ground.ts";

const scope = self as unknown as DedicatedWorkerGlobalScope;
const tell = (message: FromWorker) => scope.postMessage(message);

scope.onmessage = ({ data: message }: MessageEvent<ToWorker>) => {
  if (message.type === "stop") return tell({ type: "stopped" });
  if (message.type !== "start") return;
  const path = `${dataOf(message.settings)}/public/starts`;
  Deno.writeTextFileSync(path, "start\n", { append: true });
  const starts = Deno.readTextFileSync(path).split("\n").length - 1;
  // The second one can't listen, as when the database is locked just then.
  if (starts === 2) {
    return tell({ type: "failed", error: { kind: "unavailable", message: "it is locked" } });
  }
  tell({ type: "listening" });
  const die = () => queueMicrotask(() => Promise.reject(new Error("on purpose")));
  if (starts === 1) {
    const watch = setInterval(() => {
      if (
        !Array.from(Deno.readDirSync(`${dataOf(message.settings)}/public`)).some((e) =>
          e.name === "dies"
        )
      ) {
        return;
      }
      clearInterval(watch);
      die();
    }, 5);
  } else if (starts < 4) die();
};
