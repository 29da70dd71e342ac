/**
 * Sends requests over one connection, one at a time, and opens the connection anew after a failure.
 *
 *     unconnected --open--> free --send--> a request under way --answer--> free
 *          ^                                      |
 *          '------- pause, then open again -------' failure
 *
 * A connection that can be used again stays open. After a timeout it is free at once. After any other
 * failure it is free after a pause, since the next request would probably fail at once, too.
 */
import { type Connection, type Failure, type Open, toRequestError } from "./connection.ts";
import type { Tally } from "./tally.ts";

const firstPauseMs = 100;
const longestPauseMs = 1000;

export interface RequesterEvents {
  /**
   * Called when a request has been answered or has failed, and again at the end of the pause after a
   * failure.
   */
  readonly onChange: (requester: Requester) => void;
  /** Called when the connection could not be opened anew; the next attempt comes after a pause. */
  readonly onOpenFailure: (failure: Failure) => void;
}

/** A request under way. */
interface Request {
  readonly sentAt: number;
  /** The time from which its latency counts, in ms. */
  readonly from: number;
  /** The tally in which it counts; undefined: it was sent before measuring began. */
  readonly tally: Tally | undefined;
}

export class Requester {
  readonly number: number;
  readonly #open: Open;
  readonly #events: RequesterEvents;
  #connection: Connection | undefined;
  #request: Request | undefined;
  #pausing = false;
  #pauseMs = firstPauseMs;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reopens = true;
  #closed = false;

  constructor(number: number, open: Open, events: RequesterEvents) {
    this.number = number;
    this.#open = open;
    this.#events = events;
  }

  get request(): Request | undefined {
    return this.#request;
  }

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  /** Whether a request can be sent now. */
  get isFree(): boolean {
    return this.isConnected && !this.#request && !this.#pausing;
  }

  /** Opens the connection. @throws {RequestError} */
  async open(): Promise<void> {
    const connection = await this.#open();
    if (this.#closed) connection.close();
    else this.#connection = connection;
    this.#pauseMs = firstPauseMs;
  }

  /** Opens the connection after a pause, and repeats that until it is open. */
  reopenLater(): void {
    this.#later(this.#pauseMs, () => this.#reopen());
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
  }

  /** Opens no connection any more; a request under way may still be answered. */
  stopReopening(): void {
    this.#reopens = false;
    clearTimeout(this.#timer);
  }

  /** Sends a request; the requester must be free. */
  send(from: number, tally: Tally | undefined): void {
    const request = this.#request = { sentAt: performance.now(), from, tally };
    this.#connection!.exchange().then(
      (bytes) => {
        tally?.addAnswer(this.number, performance.now() - from, bytes);
        this.#request = undefined;
        this.#events.onChange(this);
      },
      (cause) => this.#fail(request, toRequestError(cause).failure),
    );
  }

  /** Gives up the request under way if it was sent before that time. */
  abandonSentBefore(ms: number): void {
    if (this.#request && this.#request.sentAt < ms) this.#connection?.abandon();
  }

  close(): void {
    this.#closed = true;
    this.stopReopening();
    this.#connection?.close();
  }

  #fail({ from, tally }: Request, failure: Failure): void {
    if (this.#closed) return;
    const timedOut = failure === "late" || failure === "lost";
    tally?.addFailure(failure, timedOut ? performance.now() - from : undefined);
    this.#request = undefined;
    const reusable = this.#connection!.reusable;
    if (!reusable) {
      this.#connection!.close();
      this.#connection = undefined;
    }
    if (!reusable || !timedOut) {
      this.#pausing = true;
      this.#later(firstPauseMs, () => this.#endPause());
    }
    this.#events.onChange(this);
  }

  #endPause(): void {
    this.#pausing = false;
    if (this.isConnected) this.#events.onChange(this);
    else this.#reopen();
  }

  async #reopen(): Promise<void> {
    try {
      await this.open();
    } catch (cause) {
      this.#events.onOpenFailure(toRequestError(cause).failure);
      return this.reopenLater();
    }
    this.#events.onChange(this);
  }

  #later(ms: number, work: () => void): void {
    if (this.#reopens) this.#timer = setTimeout(work, ms);
  }
}
