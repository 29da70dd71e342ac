/**
 * One connection to a server: requests out, answers in, in the same order.
 *
 * Requests may be sent before earlier ones are answered. Each takes its turn to read: turns are
 * queued when the request is sent and run one at a time, so that writing and reading go on at once.
 *
 * Invariants: a failure that the server answers leaves the connection alive; any other failure while
 * reading or writing closes it, and every waiter, now and later, fails with that same error. No wait
 * is for ever: the connection is cut when no byte moved in either direction for as long as the
 * request at hand may take.
 */
import { BargeError, typed } from "../error.ts";
import { isLoopback, network, parseAddress } from "../net/address.ts";
import type { Stream } from "../net/stream.ts";
import { encodeFrame } from "../protocol/frame.ts";
import {
  type Answer,
  type Answered,
  parseAnswer,
  type RequestInput,
  type Verb,
  version,
} from "../protocol/message.ts";
import { FrameReader } from "../protocol/reader.ts";
import { Outbox } from "./outbox.ts";

/** Milliseconds without a byte for an ordinary request. */
export const patience = 60_000;
/** Milliseconds without a byte while the server syncs or hashes a large file. */
export const diskPatience = 600_000;

type Fields<R> = R extends unknown ? Omit<R, "verb"> : never;
/** What a request says beside its verb. */
export type RequestFields<V extends Verb> = Fields<RequestInput<V>>;

/** Reads one request's answer: all of its frames and bodies, nothing more. */
export type Turn<T> = (frames: FrameReader) => Promise<T>;

export class Client implements Disposable, AsyncDisposable {
  /** What the server said of itself; set by {@link greet}. */
  hello!: Answer<"hello">;
  /** The server's address, for messages. */
  readonly peer: string;
  readonly #stream: Stream;
  readonly #frames: FrameReader;
  readonly #outbox: Outbox;
  #last: Promise<unknown> = Promise.resolve();
  /** Failures that the server told, as opposed to ours in understanding it. */
  readonly #told = new WeakSet<BargeError>();
  #reading = false;
  /** Sends signs of life during a pause; undefined: no request pauses. */
  #alive: { readonly since: number; beat: () => Promise<unknown>; busy: boolean } | undefined;
  #patience = patience;
  #moved = performance.now();
  #onClose: (() => void)[] = [];

  /** @param stream taken over: closing the client closes it */
  constructor(stream: Stream) {
    this.#stream = stream;
    this.peer = stream.peer;
    this.#frames = new FrameReader({ read: (into) => this.#read(into) });
    this.#outbox = new Outbox(stream);
    const timer = setInterval(() => this.#sweep(), 1000);
    this.onClose(() => clearInterval(timer));
  }

  /** The binding to the server's certificate; undefined: there is no TLS. */
  get endPoint(): string | undefined {
    return this.#stream.endPoint;
  }

  /**
   * May a secret be sent here that others could make use of?
   *
   * @throws {BargeError} `refused` without TLS, off this machine
   */
  needPrivacy(op: string): void {
    if (this.endPoint !== undefined || isLoopback(network(parseAddress(this.peer).host))) return;
    throw new BargeError("refused", "that needs TLS, and this connection has none", {
      op,
      path: this.peer,
      hint: "leave --plaintext out, or do it at the server itself",
    });
  }

  /** Why the connection is closed, or undefined while it is open. */
  get closed(): BargeError | undefined {
    return this.#stream.closed;
  }

  /**
   * The first request of a connection.
   *
   * @param agent this program's name and version
   * @param timeout milliseconds
   * @throws {BargeError} `unsupported` when the server speaks another version; `protocol`;
   *   `unavailable`
   */
  async greet(agent: string, timeout: number): Promise<void> {
    // Set in the turn itself: a login that was sent with it reads it in the next one.
    const greeted = this.answer(
      async (frames) => this.hello = await this.next("hello", frames),
      timeout,
    );
    greeted.catch(() => {/* awaited below; sending may fail first */});
    await this.send(encodeFrame({ verb: "hello", version, agent }));
    await this.flush();
    await greeted;
    if (this.hello.version !== version) {
      throw this.#fail(
        new BargeError(
          "unsupported",
          `the server speaks version ${this.hello.version}, this program ${version}`,
          { path: this.peer },
        ),
      );
    }
  }

  /**
   * Sends a request and waits for its answer. Several may be asked at once.
   *
   * @param wait milliseconds that the server may take without sending a byte
   * @throws {BargeError} what the server answered; why the connection is closed
   */
  async ask<V extends Verb & Answered>(
    verb: V,
    fields: RequestFields<V>,
    wait = patience,
  ): Promise<Answer<V>> {
    const frame = encodeFrame({ verb, ...fields });
    const answer = this.answer((frames) => this.next(verb, frames), wait);
    answer.catch(() => {/* awaited below; sending may fail first */});
    await this.send(frame);
    await this.flush();
    return await answer;
  }

  /**
   * Hands bytes over to be sent; they leave with the next {@link flush}, or when enough are there.
   * The turn that reads the answer is queued first, in the same tick.
   *
   * @returns once the bytes may be changed again
   */
  async send(...parts: readonly Uint8Array[]): Promise<void> {
    try {
      await this.#outbox.send(...parts);
      this.#moved = performance.now();
    } catch (cause) {
      throw this.#broken(cause);
    }
  }

  /** Sends what is still gathered. */
  async flush(): Promise<void> {
    try {
      await this.#outbox.flush();
      this.#moved = performance.now();
    } catch (cause) {
      throw this.#broken(cause);
    }
  }

  /**
   * Queues the reading of an answer behind those that are due before it.
   *
   * @param turn must read exactly its own answer; if it throws anything but what {@link next} told,
   *   the connection is closed
   * @param wait milliseconds without a byte that are allowed while it reads
   */
  answer<T>(turn: Turn<T>, wait = patience): Promise<T> {
    const result = this.#last.then(() => this.#turn(turn, wait));
    this.#last = result.catch(() => {/* the caller is told */});
    return result;
  }

  /**
   * Reads one answering frame, inside a turn.
   *
   * @throws {BargeError} what the server answered
   */
  async next<V extends Answered>(what: V, frames: FrameReader): Promise<Answer<V>> {
    const frame = await frames.frame();
    if (frame === null) throw new BargeError("unavailable", "it closed the connection");
    try {
      return parseAnswer(what, frame.value);
    } catch (error) {
      // After a failure of its own making the server goes on, after a broken frame it hangs up.
      if (frame.value.ok === false && error instanceof BargeError && error.op !== "answer") {
        if (error.kind !== "protocol") this.#told.add(error);
      }
      throw error;
    }
  }

  /** Awaits something else inside a turn, on our side: the server is not to blame for its time. */
  async aside<T>(promise: Promise<T>): Promise<T> {
    this.#reading = false;
    try {
      return await promise;
    } finally {
      this.#reading = true;
      this.#moved = performance.now();
    }
  }

  /**
   * Sends signs of life while nothing else is sent, at the interval that the server's hello sets,
   * until it is disposed. Sends none where the hello sets no interval.
   *
   * @param beat sends one sign of life; not called again before it has resolved
   */
  keepAlive(beat: () => Promise<unknown>): Disposable {
    const alive = this.#alive = { since: performance.now(), beat, busy: false };
    return {
      [Symbol.dispose]: () => {
        if (this.#alive === alive) this.#alive = undefined;
      },
    };
  }

  /** As {@link aside}, for long work: meanwhile, the server gets signs of life. */
  async paused<T>(promise: Promise<T>): Promise<T> {
    // The answer follows the body that is being received.
    const alive = this.keepAlive(() => {
      this.ask("ping", {}).catch(
        () => {/* the request under way reports why the connection broke */},
      );
      return this.flush();
    });
    try {
      return await this.aside(promise);
    } finally {
      alive[Symbol.dispose]();
    }
  }

  /** Did the server answer this failure, so that the connection goes on? */
  told(error: unknown): boolean {
    return error instanceof BargeError && this.#told.has(error);
  }

  /** Calls back once, when the connection is closed. */
  onClose(callback: () => void): void {
    if (this.closed) callback();
    else this.#onClose.push(callback);
  }

  /** Closes the connection; whoever waits fails with the reason. */
  close(reason = new BargeError("unavailable", "the connection is closed")): void {
    this.#fail(reason);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes without a goodbye, whose answer would cost a round trip and tell nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#last;
  }

  async #turn<T>(turn: Turn<T>, wait: number): Promise<T> {
    if (this.closed) throw this.closed;
    this.#patience = wait;
    this.#moved = performance.now();
    this.#reading = true;
    try {
      return await turn(this.#frames);
    } catch (cause) {
      if (this.told(cause)) throw cause;
      throw this.#broken(cause);
    } finally {
      this.#reading = false;
    }
  }

  /**
   * Reads without the stream's own deadline, which knows nothing of a long upload going on at the
   * same time: {@link Stream.read} takes its patience when it is called. The sweep watches instead.
   */
  async #read(into: Uint8Array): Promise<number | null> {
    const usual = this.#stream.idleTimeoutMs;
    this.#stream.idleTimeoutMs = Infinity;
    const reading = this.#stream.read(into);
    this.#stream.idleTimeoutMs = usual;
    const n = await reading;
    this.#moved = performance.now();
    return n;
  }

  #sweep(): void {
    this.#showAlive();
    if (!this.#reading || performance.now() - this.#moved < this.#patience) return;
    const seconds = Math.round(this.#patience / 1000);
    this.#fail(
      new BargeError("unavailable", `${this.peer} gave no answer for ${seconds} s`),
    );
  }

  #showAlive(): void {
    const alive = this.#alive;
    const { pause } = this.hello ?? {};
    if (!alive || alive.busy || !pause) return;
    const last = Math.max(alive.since, this.#outbox.wrote);
    if (performance.now() - last < pause.every * 1000) return;
    alive.busy = true;
    alive.beat().then(() => alive.busy = false, () => {/* the request under way reports it */});
  }

  /**
   * Closes because reading or writing failed. A connection that broke names no path of its own:
   * whoever waits says what was being done, and to which file.
   */
  #broken(cause: unknown): BargeError {
    const error = typed(cause, { path: this.peer });
    if (error.kind !== "unavailable" || error.path !== this.peer) return this.#fail(error);
    const why = `the server ${this.peer} went away (${error.message})`;
    return this.#fail(new BargeError("unavailable", why, { cause }));
  }

  /** Closes, and hands back the first reason there was. */
  #fail(error: BargeError): BargeError {
    if (this.closed) return this.closed;
    this.#stream.close(error);
    this.#frames[Symbol.dispose]();
    for (const callback of this.#onClose.splice(0)) callback();
    return error;
  }
}
