/** The start of every path of the server: empty, or `/files`; the scripts lie two folders below. */
export const root = new URL("../..", import.meta.url).pathname.slice(0, -1);
