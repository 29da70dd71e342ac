/** The size of requests that small files share. */

/** Bytes of files that are worth a request. */
export const batchBytes = 256 * 1024;

/** The most bytes of a path's UTF-16 unit in a frame's JSON. */
export const maxCharBytes = 6;
