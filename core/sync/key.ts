/**
 * Priorities as bytes whose order, byte by byte, is that of the priorities. A heap in shared memory
 * can thus be ordered without decoding its items.
 *
 *     00                    the end of an array: a shorter one comes first
 *     08                    a value without an order: the elements behind it do not count
 *     10 + 8 bytes          a number, its sign inverted so that negative ones come first
 *     20 + UTF-8 + 00 00    a string, by code points; a NUL in it is 00 FF
 *     30 + elements + 00    an array, ordered by the first elements that differ
 */

/** The priority of an item, lowest first; numbers come before strings, strings before arrays. */
export type Priority = number | string | boolean | readonly unknown[];

const end = 0x00;
const unordered = 0x08;
const utf8 = new TextEncoder();
const view = new DataView(new ArrayBuffer(8));

/**
 * Returns a priority as bytes; they are never the beginning of another priority's.
 *
 * @throws TypeError if it is no priority: an object, undefined, NaN
 *
 * @example
 * ```ts
 * import { keyOf } from "./key.ts";
 * const order = [[1, "b"], 2, -1, [1], [1, "a"]].sort((a, b) => {
 *   const [x, y] = [keyOf(a), keyOf(b)];
 *   const at = x.findIndex((byte, i) => byte !== y[i]);
 *   return at < 0 ? 0 : x[at]! - y[at]!;
 * });
 * if (JSON.stringify(order) !== '[-1,2,[1],[1,"a"],[1,"b"]]') throw new Error("as in Python");
 * ```
 */
export function keyOf(priority: unknown): Uint8Array {
  const bytes: number[] = [];
  if (write(bytes, priority) || Array.isArray(priority)) return Uint8Array.from(bytes);
  throw new TypeError(
    "a priority is a number, a string, or an array of such; put(item, { priority }) gives one",
  );
}

/** @returns false if an element has no order: the key ends there */
function write(bytes: number[], value: unknown): boolean {
  if (typeof value === "number" || typeof value === "boolean") writeNumber(bytes, Number(value));
  else if (typeof value === "string") writeString(bytes, value);
  else if (Array.isArray(value)) return writeArray(bytes, value);
  else return false;
  return true;
}

function writeNumber(bytes: number[], value: number): void {
  if (Number.isNaN(value)) throw new TypeError("NaN is no priority: it has no order");
  view.setFloat64(0, value + 0); // -0 becomes 0
  const negative = view.getInt8(0) < 0;
  bytes.push(0x10);
  for (let i = 0; i < 8; i++) {
    const byte = view.getUint8(i);
    bytes.push(negative ? 0xff - byte : i === 0 ? byte + 0x80 : byte);
  }
}

function writeString(bytes: number[], value: string): void {
  bytes.push(0x20);
  for (const byte of utf8.encode(value)) {
    bytes.push(byte);
    if (byte === 0) bytes.push(0xff);
  }
  bytes.push(0, 0);
}

function writeArray(bytes: number[], values: readonly unknown[]): boolean {
  bytes.push(0x30);
  for (const value of values) {
    if (write(bytes, value)) continue;
    if (!Array.isArray(value)) bytes.push(unordered);
    return false;
  }
  bytes.push(end);
  return true;
}
