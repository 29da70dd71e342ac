/** Ends a local wait, for instance for a pipe without a reader, when the connection is closed. */
import type { Client } from "../client.ts";

/** Returns a function that awaits one promise at a time, and throws if the connection is closed. */
export function untilClosed(client: Client) {
  let stop: ((reason: unknown) => void) | undefined;
  client.onClose(() => stop?.(client.closed));
  return async <T>(work: Promise<T>): Promise<T> => {
    if (client.closed) throw client.closed;
    // Each wait has a promise of its own: a race adds a callback, which stays until the promise settles.
    const { promise, reject } = Promise.withResolvers<never>();
    stop = reject;
    return await Promise.race([work, promise]);
  };
}
