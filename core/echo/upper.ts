/**
 * Changes the ASCII letters a to z to upper case, in place, as Python's `bytes.upper()` does. No other
 * byte changes, so UTF-8 stays valid, even if the network splits a character over two calls.
 *
 * @example
 * ```ts
 * import { upper } from "./upper.ts";
 * const bytes = new TextEncoder().encode("héllo, 1");
 * upper(bytes);
 * if (new TextDecoder().decode(bytes) !== "HéLLO, 1") throw new Error();
 * ```
 */
export function upper(bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte > 0x60 && byte < 0x7b) bytes[i] = byte - 0x20;
  }
}
