/** The prefix of the server's paths: empty, or e.g. `/files`. Scripts are two folders below it. */
export const root = new URL("../..", import.meta.url).pathname.slice(0, -1);
