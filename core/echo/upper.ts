/**
 * Upper case as the echo servers have it: the letters a to z of ASCII, and no other byte.
 *
 * That is what Python's `bytes.upper()` and C's `toupper` do. A letter outside of ASCII stays as it
 * is, so that the answer is as long as the question, no matter where the network cuts a character in
 * two, and so that UTF-8 stays UTF-8.
 *
 * @param bytes changed in place
 * @param length how many of them
 *
 * @example
 * ```ts
 * import { upper } from "./upper.ts";
 * const bytes = new TextEncoder().encode("héllo, 1");
 * upper(bytes, bytes.length);
 * if (new TextDecoder().decode(bytes) !== "HéLLO, 1") throw new Error();
 * ```
 */
export function upper(bytes: Uint8Array, length = bytes.length): void {
  for (let i = 0; i < length; i++) {
    const byte = bytes[i];
    if (byte > 0x60 && byte < 0x7b) bytes[i] = byte - 0x20;
  }
}
