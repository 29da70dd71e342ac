/** Splits the rows of an answer over as many frames as they need. */
import { encodeFrame } from "../../protocol/frame.ts";
import type { Output } from "./output.ts";

/** The most bytes of rows in a frame; below 64 KiB, since a frame also has other fields. */
const maxRowBytes = 48 * 1024;

/**
 * Sends rows in frames, all but the last of them.
 *
 * @param batches rows, each of which fits one frame
 * @param name the field of the rows
 * @param otherFields the other fields of each frame
 * @returns the fields of the last frame
 */
export async function paged(
  output: Output,
  batches: AsyncIterable<readonly object[]> | Iterable<readonly object[]>,
  name: string,
  otherFields: object = {},
): Promise<object> {
  let rows: object[] = [];
  let size = 0;
  for await (const batch of batches) {
    for (const row of batch) {
      const length = JSON.stringify(row).length * 3; // the most in UTF-8
      if (size + length > maxRowBytes && rows.length > 0) {
        await sendPart(output, { ...otherFields, [name]: rows });
        rows = [];
        size = 0;
      }
      rows.push(row);
      size += length;
    }
  }
  return { ...otherFields, [name]: rows, more: false };
}

/** Sends a frame of an answer that has more frames. */
export async function sendPart(output: Output, fields: object): Promise<void> {
  await output.write(encodeFrame({ ok: true, ...fields, more: true }));
}
