/** Work of other threads on encrypted packets, as the socket sees it. */

/** Bytes that another thread still encrypts. The socket sends them in their place. */
export class LaterBytes {
  /** The number of bytes. */
  readonly length: number;
  readonly bytes: Promise<Uint8Array>;

  constructor(length: number, bytes: Promise<Uint8Array>) {
    this.length = length;
    this.bytes = bytes;
  }
}

/** Received packets that other threads still decrypt. The socket reads on only while they are few. */
export class LaterPayloads {
  /** The number of bytes to send. */
  readonly length = 0;
  /** Resolves when all are handed on; rejects if one can't be, which ends the connection. */
  readonly done: Promise<void>;
  readonly #count: () => number;

  constructor(done: Promise<void>, count: () => number) {
    this.done = done;
    this.#count = count;
  }

  /** The number of packets now. */
  get count(): number {
    return this.#count();
  }
}
