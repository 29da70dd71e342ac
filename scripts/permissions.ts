/**
 * What barge may do, whoever starts it: the tasks in deno.json name the same flags, and a test
 * compares the two. All that its user may: it works on the files that it is told to, and with less
 * the runtime refuses everything below /dev, also a tmpfs in /dev/shm. The cage is the workers', which
 * talk to strangers: core/serve/supervisor.ts.
 */
export const PERMISSIONS: readonly string[] = ["--allow-all"];

/** The runtime features that deno.json switches on, for a start that reads no deno.json. */
export const UNSTABLE: readonly string[] = ["--unstable-worker-options", "--unstable-net"];

/**
 * How much garbage each isolate gathers before it is swept out: V8 would let it grow to 2 x 16 MiB as
 * sessions come, and keep that while they idle. It takes this at its start alone, not from
 * `v8.setFlagsFromString`.
 */
export const HEAP: readonly string[] = ["--v8-flags=--max-semi-space-size=2"];

/**
 * The same for what is over at once. The runtime's cache holds what was compiled when a module was
 * loaded, and V8 leaves most functions for when they are called: 8 ms of each start. A server keeps
 * to that: with all of its modules compiled it would be 20 to 40 MiB larger.
 */
export const HEAP_AT_ONCE: readonly string[] = HEAP.map((flags) => `${flags},--no-lazy`);
