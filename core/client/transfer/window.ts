/** Sends requests without waiting for each answer, and bounds the unanswered ones. */
import { encodeFrame } from "../../protocol/frame.ts";
import type { RequestInput } from "../../protocol/message.ts";
import { type Client, diskTimeoutMs, type Turn } from "../client.ts";

/** The bytes that a batch of small files should have. */
export const batchBytes = 256 * 1024;

/** The most bytes that a UTF-16 unit of a path takes in the JSON of a frame. */
export const maxCharBytes = 6;

interface Pipelined<T> {
  /** The number of files that the request is for. Default: 1. */
  readonly count?: number;
  /** The bytes that the request takes in the window beside its frame. Default: 0. */
  readonly bytes?: number;
  /** The bytes to send behind the request's frame. */
  readonly body?: readonly Uint8Array[];
  /** Called when the request is about to be sent. */
  readonly sending?: () => void;
  readonly done: (answer: T) => unknown;
  readonly failed: (cause: unknown) => void;
}

/** Sends a request as soon as the window has room for it, unless it was sent ahead. */
export async function pipeline<T>(
  client: Client,
  window: Window,
  request: RequestInput,
  turn: Turn<T>,
  { count, bytes = 0, body = [], sending, done, failed }: Pipelined<T>,
): Promise<void> {
  let frame;
  try {
    frame = encodeFrame(request);
  } catch (cause) {
    return failed(cause);
  }
  const weight = frame.length + bytes;
  await window.enter(weight, count);
  sending?.();
  const begun = client.takeAhead(request, turn, diskTimeoutMs);
  const answer = begun ?? client.answer(turn, diskTimeoutMs);
  answer.then(done, failed).finally(() => window.leave(weight, count));
  if (!begun) await client.send(frame, ...body).catch(() => {/* the answer fails as well */});
}

/** Bounds the unanswered requests, and so the memory that they take on both sides. */
export class Window {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  #count = 0;
  #bytes = 0;
  #waiting: (() => void)[] = [];
  readonly #flush: () => Promise<void>;

  /**
   * @param maxCount the most unanswered files and other requests
   * @param maxBytes the most bytes of unanswered requests; a single request may have more
   * @param flush called before a wait, since only requests that were sent get answers
   */
  constructor(maxCount: number, maxBytes: number, flush = () => Promise.resolve()) {
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
    this.#flush = flush;
  }

  /** Returns whether there is room, so that {@link enter} does not wait. */
  fits(bytes: number, count = 1): boolean {
    if (this.#count === 0) return true;
    return this.#count + count <= this.#maxCount && this.#bytes + bytes <= this.#maxBytes;
  }

  /**
   * Waits for room, and reserves that room. One caller at a time. A full window opens when it is half
   * empty, so that requests leave in batches.
   */
  async enter(bytes: number, count = 1): Promise<void> {
    if (!this.fits(bytes, count)) {
      await this.#flush().catch(() => {/* the answers fail as well */});
      while (
        this.#count > this.#maxCount / 2 || this.#bytes > this.#maxBytes / 2 ||
        !this.fits(bytes, count)
      ) await this.#change();
    }
    this.#count += count;
    this.#bytes += bytes;
  }

  /** Frees the room of an answered request. */
  leave(bytes: number, count = 1): void {
    this.#count -= count;
    this.#bytes -= bytes;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Waits until every request is answered. */
  async drained(): Promise<void> {
    await this.#flush().catch(() => {/* the answers fail as well */});
    while (this.#count > 0) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
