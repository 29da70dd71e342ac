/** How much a server logs. */

/** From what on records are written; access records are `info`, failed logins `warn`. */
export const levels = ["error", "warn", "info", "debug"] as const;
export type Level = typeof levels[number];
