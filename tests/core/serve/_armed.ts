/**
 * The real worker with a fault in it, in the place of the real one (_faulty.ts). By the query of its
 * URL:
 *
 *   stop=POINT   it stops dead at that point, says so on standard error, and waits to be killed
 *   fail=POINT   it stops dead at that point, and the supervisor takes it for one that has died
 *   die=MS       it dies of an uncaught error between one second after its start and so many
 *                milliseconds later
 */
/// <reference lib="deno.worker" />
import { arm } from "../../../core/vault/fault.ts";
import "../../../core/serve/worker.ts";

const asked = new URL(import.meta.url).searchParams;

const stop = asked.get("stop");
if (stop) {
  arm((point) => {
    if (point !== stop) return;
    Deno.stderr.writeSync(new TextEncoder().encode(`reached ${point}\n`));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
}

const fail = asked.get("fail");
if (fail) {
  arm((point) => {
    if (point !== fail) return;
    const error = { kind: "fatal", message: `on purpose, at ${point}` } as const;
    (self as unknown as DedicatedWorkerGlobalScope).postMessage({ type: "failed", error });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
}

const die = Number(asked.get("die") ?? 0);
if (die) {
  setTimeout(() => {
    throw new Error("on purpose");
  }, 1000 + Math.random() * die);
}
