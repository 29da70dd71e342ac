/**
 * The permissions of barge; a test compares them with the tasks in deno.json. They are all that the
 * user has: barge works on any file of its user, and with less the runtime refuses all of /dev, even
 * a tmpfs in /dev/shm. Workers, which talk to strangers, have fewer: core/serve/supervisor.ts.
 */
export const PERMISSIONS: readonly string[] = ["--allow-all"];

/** The unstable features of deno.json, for a start that reads no deno.json. */
export const UNSTABLE: readonly string[] = ["--unstable-worker-options", "--unstable-net"];

/**
 * Limits the young heap of each isolate. By default it grows to 2 x 16 MiB with the sessions, and
 * keeps that while they idle. V8 takes this only at its start, not from `v8.setFlagsFromString`.
 */
export const HEAP: readonly string[] = ["--v8-flags=--max-semi-space-size=2"];

/**
 * The same for clients, which compile all functions of a module when it is loaded. The runtime caches
 * these, which saves 8 ms of each start. A server would be 20 to 40 MiB larger with it.
 */
export const CLIENT_HEAP: readonly string[] = HEAP.map((flags) => `${flags},--no-lazy`);
