/** Closes a connection without losing the last answer. */
import type { Stream } from "../net/stream.ts";

/**
 * Ends the server's side of a connection, and drops the client's bytes until the client ends its side.
 * Closing with unread bytes would reset the connection, and the client could lose the last answer.
 *
 * @param ms the time after which the stream is closed
 * @throws {BargeError} `unavailable` when the connection breaks or time is up
 */
export async function linger(stream: Stream, ms: number): Promise<void> {
  const timer = setTimeout(() => stream.close(), ms);
  try {
    await stream.end();
    stream.idleTimeoutMs = ms;
    const buffer = new Uint8Array(4096);
    while (await stream.read(buffer) !== null);
  } finally {
    clearTimeout(timer);
  }
}
