/**
 * What barge may do, whoever starts it: the tasks in deno.json name the same flags, and a test
 * compares the two. All that its user may: it works on the files that it is told to, and with less
 * the runtime refuses everything below /dev, also a tmpfs in /dev/shm. The cage is the workers', which
 * talk to strangers: core/serve/supervisor.ts.
 */
export const PERMISSIONS: readonly string[] = ["--allow-all"];

/** The runtime features that deno.json switches on, for a start that reads no deno.json. */
export const UNSTABLE: readonly string[] = ["--unstable-worker-options", "--unstable-net"];
