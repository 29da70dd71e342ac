/** Ends a local wait, for instance for a pipe without a reader, when the connection is closed. */
import type { BargeError } from "../../error.ts";
import type { Client } from "../client.ts";

export class UntilClosed {
  readonly #client: Client;
  #stop: ((reason: BargeError) => void) | undefined;

  constructor(client: Client) {
    this.#client = client;
    client.onClose(() => this.#stop?.(client.closed!));
  }

  /**
   * Waits for a promise, or for the end of the connection. One caller at a time.
   *
   * @throws {BargeError} why the connection was closed; the rejection of the promise
   */
  async wait<T>(work: Promise<T>): Promise<T> {
    if (this.#client.closed) throw this.#client.closed;
    const { promise, reject } = Promise.withResolvers<never>();
    this.#stop = reject;
    try {
      return await Promise.race([work, promise]);
    } finally {
      this.#stop = undefined;
    }
  }
}
