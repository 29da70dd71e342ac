/** Splits rows of an answer over as many frames as they need. */

/** The most bytes of rows in a frame; below 64 KiB, since a frame has other fields, too. */
const maxRowBytes = 48 * 1024;

/**
 * Sends rows in frames, all but the last of them.
 *
 * @param batches rows, each of which fits one frame
 * @param name the field of the rows
 * @param otherFields the other fields of each frame
 * @param send sends a frame that is not the last
 * @returns the last frame
 */
export async function paged(
  batches: AsyncIterable<readonly object[]> | Iterable<readonly object[]>,
  name: string,
  otherFields: object,
  send: (frame: object) => Promise<void>,
): Promise<object> {
  let rows: object[] = [];
  let size = 0;
  for await (const batch of batches) {
    for (const row of batch) {
      const length = JSON.stringify(row).length * 3; // in UTF-8 at most
      if (size + length > maxRowBytes && rows.length > 0) {
        await send({ ...otherFields, [name]: rows, more: true });
        rows = [];
        size = 0;
      }
      rows.push(row);
      size += length;
    }
  }
  return { ...otherFields, [name]: rows, more: false };
}
