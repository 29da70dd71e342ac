/** Plain HTTP at a port where each connection begins with TLS. */
import type { Pipe } from "./stream.ts";

/** The methods of RFC 9110, PATCH (RFC 5789) and those of WebDAV (RFC 4918). */
const requestStart =
  /^(GET|HEAD|POST|PUT|PATCH|DELETE|CONNECT|OPTIONS|TRACE|PROPFIND|PROPPATCH|MKCOL|COPY|MOVE|LOCK|UNLOCK) /;

/** Bytes that suffice to recognize a request: the longest method and a space. */
export const maxMethodBytes = 10;

const answer = new TextEncoder().encode(
  "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n" +
    "this port takes TLS connections of another protocol, and no HTTP\n",
);

/**
 * Returns whether the first bytes of a connection are a request in plain HTTP.
 *
 * @example
 * ```ts
 * import { beginsPlainHttp } from "./plain_http.ts";
 * const bytes = (text: string) => new TextEncoder().encode(text);
 * if (!beginsPlainHttp(bytes("CONNECT box:443 HTTP/1.1\r\n"))) throw new Error();
 * if (beginsPlainHttp(bytes("RETR /file\r\n"))) throw new Error();
 * if (beginsPlainHttp(Uint8Array.of(22, 3, 1, 2, 0))) throw new Error();
 * ```
 */
export function beginsPlainHttp(bytes: Uint8Array): boolean {
  return requestStart.test(new TextDecoder("latin1").decode(bytes.subarray(0, maxMethodBytes)));
}

/**
 * Answers plain HTTP at a port that takes TLS connections of another protocol, and waits until the client ends the
 * connection. The client's further bytes are read: closing a connection with unread bytes resets it, which may lose the
 * answer.
 *
 * @throws the error of the connection
 */
export async function refusePlainHttp(pipe: Pipe): Promise<void> {
  for (let at = 0; at < answer.length;) at += await pipe.write(answer.subarray(at));
  await pipe.closeWrite();
  const dropped = new Uint8Array(4096);
  while (await pipe.read(dropped) !== null) { /* dropped */ }
}
