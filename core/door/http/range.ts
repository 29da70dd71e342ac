/** Byte ranges: RFC 9110, section 14. */

/** A part of a file: `length` bytes from `from`. */
export interface Span {
  readonly from: number;
  readonly length: number;
}

/**
 * Returns the part of a file of `size` bytes that a Range header selects.
 *
 * @returns `all` if the header is ignored: missing, not in bytes, malformed, or of several ranges,
 *   which a server may answer with the whole file; `none` if the range has no byte of the file (416).
 *   In an empty file, a range from the start or of the last bytes is satisfied.
 *
 * @example
 * ```ts
 * import { parseRange } from "./range.ts";
 * const span = parseRange("bytes=-3", 10);
 * if (typeof span !== "object" || span.from !== 7 || span.length !== 3) throw new Error();
 * if (parseRange("bytes=10-", 10) !== "none" || parseRange("lines=1-2", 10) !== "all") throw new Error();
 * ```
 */
export function parseRange(header: string | undefined, size: number): Span | "all" | "none" {
  const [, first, last] = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header ?? "") ?? [];
  if (first === undefined || first + last === "") return "all";
  if (size === 0 && Number(first) === 0) return "all";
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? "none" : { from: size - length, length };
  }
  const from = Number(first);
  const to = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== "" && Number(last) < from) return "all";
  return from >= size ? "none" : { from, length: to - from + 1 };
}
