/** The number of rows that {@link inPages} reads at once. */
export const pageRows = 256;

/**
 * Yields the rows of a table, and holds one page of them. Each page is a statement of its own, which
 * begins after the last key: a statement that stays open would keep SQLite from resetting its log, and
 * could not be used a second time meanwhile. A row whose key does not change is yielded exactly once.
 *
 * @param next reads at most {@link pageRows} rows after the given one, by their key; undefined: from
 *   the start
 */
export function* inPages<T>(
  next: (last: T | undefined) => readonly T[],
): Generator<T, void, void> {
  for (let page = next(undefined); page.length > 0; page = next(page.at(-1))) {
    yield* page;
    if (page.length < pageRows) return;
  }
}
