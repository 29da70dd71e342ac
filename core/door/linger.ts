/** Closes a connection without losing the last answer. */
import type { Stream } from "../net/stream.ts";

/**
 * Ends our side of a connection and discards what the client still sends, until it ends its own.
 * Closing with unread bytes would reset the connection, and the client could lose the last answer.
 *
 * @param ms after that the stream is closed
 * @throws {BargeError} `unavailable` when the connection breaks or time is up
 */
export async function linger(stream: Stream, ms: number): Promise<void> {
  const timer = setTimeout(() => stream.close(), ms);
  try {
    await stream.end();
    stream.patience = ms;
    const buffer = new Uint8Array(4096);
    while (await stream.read(buffer) !== null);
  } finally {
    clearTimeout(timer);
  }
}
