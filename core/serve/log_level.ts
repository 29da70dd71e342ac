/** The levels of the server's log. Access records are `info`, failed logins `warn`. */
export const logLevels = ["error", "warn", "info", "debug"] as const;
export type LogLevel = typeof logLevels[number];
