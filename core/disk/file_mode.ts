/** Permissions of files, as far as other users are concerned. */

import { dirname, resolve } from "node:path";

/** Bits of a mode for the group and for other users. */
const groupBits = 0o070;
const otherBits = 0o007;
const otherEnters = 0o001;

/** The users beside the owner that a mode lets read, write or enter. */
export type Audience = "nobody" | "group" | "others";

/**
 * Returns the users beside the owner that a mode admits.
 *
 * @param mode null on systems without modes
 *
 * @example
 * ```ts
 * import { audienceOf } from "./file_mode.ts";
 * if (audienceOf(0o640) !== "group" || audienceOf(0o700) !== "nobody") throw new Error();
 * ```
 */
export function audienceOf(mode: number | null): Audience {
  if (mode === null) return "nobody";
  return mode & otherBits ? "others" : mode & groupBits ? "group" : "nobody";
}

/** Formats a mode as chmod takes it: 0640. */
export function formatMode(mode: number | null): string {
  return ((mode ?? 0) & 0o7777).toString(8).padStart(4, "0");
}

/** Formats an audience for a sentence. */
export function formatAudience(audience: Audience): string {
  return { nobody: "nobody else", group: "its group", others: "every user" }[audience];
}

/** Returns whether every user may enter all folders above a file. */
export function isReachable(path: string): boolean {
  for (let folder = dirname(resolve(path));; folder = dirname(folder)) {
    const { mode } = Deno.statSync(folder);
    if (mode !== null && (mode & otherEnters) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
