/**
 * Removes the globals through which a worker could get around its permissions, and those that a
 * server does not need. Web caches write files without a permission check, a `Worker` starts with all
 * globals again, and the GPU API loads a driver. A worker's entry module imports this module first.
 *
 * `node:worker_threads` can't be removed, and its threads have all globals, too. Therefore the executable
 * puts a file where the runtime would create its folder of web caches, so that no thread can write a web
 * cache (scripts/pack.ts).
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
// `navigator.gpu` is a getter of the prototype.
Reflect.deleteProperty(Object.getPrototypeOf(navigator), "gpu");
Reflect.deleteProperty(Deno, "openKv");

function isGpu(name: string): boolean {
  return name.startsWith("GPU");
}
