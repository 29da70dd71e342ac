/**
 * Returns whether the first bytes of a connection are a request in plain HTTP: a method in capital letters. Records
 * of TLS and frames of the native protocol begin with other bytes.
 *
 * @example
 * ```ts
 * import { beginsPlainHttp } from "./plain_http.ts";
 * const bytes = (text: string) => new TextEncoder().encode(text);
 * if (!beginsPlainHttp(bytes("GET / HTTP/1.1\r\n"))) throw new Error();
 * if (beginsPlainHttp(Uint8Array.of(22, 3, 1, 2, 0))) throw new Error();
 * ```
 */
export function beginsPlainHttp(bytes: Uint8Array): boolean {
  return /^[A-Z]{3,16} [/*h]/.test(new TextDecoder("latin1").decode(bytes.subarray(0, 18)));
}

/** The answer to plain HTTP at a port that takes TLS connections of another protocol. */
export const plainHttpAnswer: Uint8Array = new TextEncoder().encode(
  "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n" +
    "this port takes TLS connections of another protocol, and no HTTP\n",
);
