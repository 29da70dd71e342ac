/** Reads a table in pages, in the order of its ids. */

/**
 * Yields pages of rows until one is empty.
 *
 * @param read returns the first rows whose ids are higher than this one, in the order of their ids
 *
 * @example
 * ```ts
 * import { pagesById } from "./pages.ts";
 *
 * const table = [{ id: 2 }, { id: 5 }, { id: 9 }];
 * const read = (after: number) => table.filter(({ id }) => id > after).slice(0, 2);
 * const pages = await Array.fromAsync(pagesById(read));
 * if (JSON.stringify(pages) !== '[[{"id":2},{"id":5}],[{"id":9}]]') throw new Error();
 * ```
 */
export async function* pagesById<R extends { readonly id: number }>(
  read: (after: number) => readonly R[] | Promise<readonly R[]>,
): AsyncGenerator<readonly R[]> {
  for (let after = 0;;) {
    const rows = await read(after);
    if (rows.length === 0) return;
    after = rows.at(-1)!.id;
    yield rows;
  }
}
