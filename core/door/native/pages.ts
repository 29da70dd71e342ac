/** Answers that may not fit one frame: rows, sent in as many as they need. */

/** Bytes of rows that a frame is filled with; below 64 KiB, as there is more in it than they. */
const most = 48 * 1024;

/**
 * Gathers rows, and sends those that would make a frame too long.
 *
 * @param batches rows, each of which fits one frame
 * @param name of the field that holds them
 * @param beside the other fields of each frame
 * @param send a frame behind which `more` come
 * @returns the last one
 */
export async function paged(
  batches: AsyncIterable<readonly object[]> | Iterable<readonly object[]>,
  name: string,
  beside: object,
  send: (frame: object) => Promise<void>,
): Promise<object> {
  let rows: object[] = [];
  let size = 0;
  for await (const batch of batches) {
    for (const row of batch) {
      const length = JSON.stringify(row).length * 3; // in UTF-8 at most
      if (size + length > most && rows.length > 0) {
        await send({ ...beside, [name]: rows, more: true });
        rows = [];
        size = 0;
      }
      rows.push(row);
      size += length;
    }
  }
  return { ...beside, [name]: rows, more: false };
}
