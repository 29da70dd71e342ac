/**
 * Removes the globals through which a worker could get around its permissions, and those that a
 * server does not need: web caches are written without a permission check, a `Worker` starts with fresh
 * globals, and a GPU loads its driver. A worker's entry module imports this module first.
 *
 * `node:worker_threads` can't be removed. In the executable a file in place of the folder of web caches
 * keeps its threads from making any (scripts/pack.ts).
 */

/** Names of the removed globals, without those of the GPU. */
export const removedGlobals: readonly string[] = [
  "caches",
  "Cache",
  "CacheStorage",
  "localStorage",
  "sessionStorage",
  "Storage",
  "Worker",
  "SharedWorker",
  "BroadcastChannel",
  "EventSource",
  "WebSocket",
  "WebSocketStream",
  "WebTransport",
];

for (const name of [...removedGlobals, ...Object.getOwnPropertyNames(globalThis).filter(isGpu)]) {
  Reflect.deleteProperty(globalThis, name);
}
// A getter of the prototype of `navigator`.
Reflect.deleteProperty(Object.getPrototypeOf(navigator), "gpu");
Reflect.deleteProperty(Deno, "openKv");

function isGpu(name: string): boolean {
  return name.startsWith("GPU");
}
