/**
 * Checks that the runtime's permissions can confine workers to a data directory. Below /dev, /proc and
 * /sys the runtime opens files only for code that has all permissions, also in a tmpfs such as /dev/shm.
 */
import { basename, dirname, join, resolve } from "node:path";
import { BargeError } from "../error.ts";

/** Refuses a data directory to which workers can't be confined. @throws {BargeError} `usage` */
export function requireConfinable(data: string): void {
  const path = realPathOf(resolve(data));
  if (!isUnconfinable(path)) return;
  throw new BargeError("usage", "workers can't be confined below /dev, /proc and /sys", {
    op: "use data directory",
    path,
    hint:
      "put it elsewhere (a tmpfs can be mounted anywhere), or run unconfined workers with --unconfined",
  });
}

/** Reports whether the runtime opens files at a real path only for code with all permissions. */
export function isUnconfinable(path: string): boolean {
  return /^\/(dev|proc|sys)(\/|$)/.test(path);
}

/** Resolves links in the existing part of a path. */
function realPathOf(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPathOf(parent), basename(path));
  }
}
