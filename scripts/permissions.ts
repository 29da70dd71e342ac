/**
 * What barge may do, whoever starts it: the tasks in deno.json name the same flags, and a test
 * compares the two. No `--allow-run` and no `--allow-ffi`: barge starts no program.
 */
export const PERMISSIONS: readonly string[] = [
  "--allow-read",
  "--allow-write",
  "--allow-net",
  "--allow-env",
  "--allow-sys",
];

/** The runtime features that deno.json switches on, for a start that reads no deno.json. */
export const UNSTABLE: readonly string[] = ["--unstable-worker-options", "--unstable-net"];
