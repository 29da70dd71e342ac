/**
 * The commit from which the executable was built, with `-dirty` behind it if its checkout had changes; undefined in
 * a checkout. A build replaces this file: scripts/package/staged_source.ts.
 */
export const commit: string | undefined = undefined;
