/**
 * Requests that are sent before their answers are needed, for instance with the proof of a login or while a listing
 * arrives, which saves a round trip. The next equal request takes the answer. Any other request first discards the
 * pending answers.
 */
import { BargeError } from "../error.ts";
import type { Answer, RequestInput } from "../protocol/message.ts";
import type { FrameReader } from "../protocol/reader.ts";

/** A request that changes nothing. */
export type AheadRequest = RequestInput<"stat" | "list" | "get" | "get-many">;

/** The most requests that are sent with the proof of a login. */
export const maxAheadRequests = 64;

/** The most bytes of a body that are dropped to keep the connection. */
export const maxDroppedBytes = 8 * 1024 * 1024;

/** The connection that sends the requests: `Client`. */
interface Connection {
  readonly closed: BargeError | undefined;
  onClose(callback: () => void): void;
  next<V extends AheadRequest["verb"]>(verb: V, frames: FrameReader): Promise<Answer<V>>;
}

/** Reads one answer. */
type Turn = (frames: FrameReader) => Promise<unknown>;

/** A turn with its deadline. */
interface Reading {
  readonly turn: Turn;
  /** The longest time without a byte, in milliseconds. */
  readonly timeoutMs: number;
}

interface Pending {
  readonly key: string;
  readonly answer: Promise<unknown>;
  readonly begin: (reading: Reading) => void;
  readonly drop: Reading;
}

export class Ahead {
  readonly #connection: Connection;
  #pending: Pending[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Adds a request.
   *
   * @param queue queues a turn that waits for the reading of its answer, and then reads
   */
  add(
    request: AheadRequest,
    timeoutMs: number,
    queue: (reading: Promise<Reading>) => Promise<unknown>,
  ): void {
    const { promise, resolve, reject } = Promise.withResolvers<Reading>();
    promise.catch(() => {/* a turn of a closed connection does not wait for it */});
    this.#connection.onClose(() => reject(this.#connection.closed));
    const answer = queue(promise);
    answer.catch(() => {/* the request that takes it handles the failure */});
    const drop = { turn: this.#dropping(request), timeoutMs };
    this.#pending.push({ key: keyOf(request), answer, begin: resolve, drop });
  }

  /** Returns whether a request was added whose answer is not taken yet. */
  has(request: RequestInput): boolean {
    return this.#indexOf(request) !== -1;
  }

  /** Reads the answer of an equal request that was added. @returns undefined if there is no such request */
  take(request: RequestInput, reading: Reading): Promise<unknown> | undefined {
    const index = this.#indexOf(request);
    if (index === -1) return undefined;
    this.drop(index);
    const { answer, begin } = this.#pending.shift()!;
    begin(reading);
    return answer;
  }

  /** Reads and drops the answers that were not taken, or the first of them. */
  drop(count = this.#pending.length): void {
    for (const { begin, drop } of this.#pending.splice(0, count)) begin(drop);
  }

  #indexOf(request: RequestInput): number {
    if (this.#pending.length === 0) return -1;
    const key = keyOf(request);
    return this.#pending.findIndex((pending) => pending.key === key);
  }

  #dropping({ verb }: AheadRequest): Turn {
    return async (frames) => {
      if (verb === "list") {
        while ((await this.#connection.next("list", frames)).more) { /* dropped */ }
      } else if (verb === "stat") {
        await this.#connection.next("stat", frames);
      } else {
        const { body } = await this.#connection.next(verb, frames);
        if (body > maxDroppedBytes) {
          throw new BargeError("unavailable", "the unneeded file is too large to drop");
        }
        await frames.skip();
        await frames.frame();
      }
    };
  }
}

function keyOf(request: RequestInput): string {
  return JSON.stringify(Object.entries(request).sort());
}
