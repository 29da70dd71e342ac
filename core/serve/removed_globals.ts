/**
 * Takes from a worker the globals that reach past its permissions, or that a server has no use for.
 * The worker's entry imports this module before any other.
 *
 * The runtime asks for no permission to keep a web cache, which it writes to a folder of its own;
 * `Worker` would bring fresh globals, and a GPU its driver. `node:worker_threads` can't be taken
 * away, and brings fresh globals, too: in the executable a file is where web caches would be kept
 * (scripts/pack.ts).
 */

/** Names of the globals that a worker does without. */
export const removedGlobals: readonly string[] = [
  ...["caches", "Cache", "CacheStorage", "localStorage", "sessionStorage", "Storage"],
  ...["Worker", "SharedWorker", "BroadcastChannel"],
  ...["EventSource", "WebSocket", "WebSocketStream", "WebTransport"],
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
