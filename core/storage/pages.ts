/** Reading tables of any size, a page at a time. */

/** Rows that {@link inPages} reads at once. */
export const pageRows = 256;

/**
 * Yields rows of a table of any size, and holds one page of them. Each page is a statement of its own, which
 * begins behind the last row by its key: a statement that stays open would keep SQLite from resetting
 * its log, and could not be used a second time meanwhile. Rows that change between two pages are
 * yielded as they are then; one whose key does not change is yielded exactly once.
 *
 * @param next reads at most {@link pageRows} rows behind the given one, in the order of their key;
 *   undefined: from the start
 */
export function* inPages<T>(
  next: (last: T | undefined) => readonly T[],
): Generator<T, void, void> {
  for (let page = next(undefined); page.length > 0; page = next(page.at(-1))) {
    yield* page;
    if (page.length < pageRows) return;
  }
}
