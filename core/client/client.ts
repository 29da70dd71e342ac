/**
 * A connection to a server: sends requests and reads their answers in the same order.
 *
 * Each request queues a turn that reads its answer; turns run one at a time, while further requests
 * are written.
 *
 * Invariants: a failure that the server answers leaves the connection open. Any other failure closes the
 * connection, and so does a time without a byte that exceeds the limit of the current request. Then all
 * waiting and later calls fail with the same error.
 */
import { BargeError, typed } from "../error.ts";
import type { RateLimit } from "./rate_limit.ts";
import { startInterval } from "../net/interval.ts";
import type { Stream } from "../net/stream.ts";
import { encodeFrame } from "../protocol/frame.ts";
import {
  type Answer,
  type AnswerName,
  parseAnswer,
  type RequestInput,
  type Verb,
  version,
} from "../protocol/message.ts";
import { FrameReader } from "../protocol/reader.ts";
import { Ahead, type AheadRequest } from "./ahead.ts";
import { Outbox } from "./outbox.ts";

/** The longest time without a byte, for most requests. */
export const idleTimeoutMs = 60_000;
/** The longest time without a byte while the server syncs or hashes a large file. */
export const diskTimeoutMs = 600_000;

type Fields<R> = R extends unknown ? Omit<R, "verb"> : never;

/**
 * Reads one request's answer: exactly its frames and bodies. If it throws anything but a failure that
 * the server answered, the connection is closed.
 */
export type Turn<T> = (frames: FrameReader) => Promise<T>;

export class Client implements Disposable, AsyncDisposable {
  /** The server's version, limits and options; set by {@link greet}. */
  hello!: Answer<"hello">;
  /** The server's address, for messages. */
  readonly peer: string;
  readonly #stream: Stream;
  readonly #limit: RateLimit | undefined;
  /** Ends the waits for the rate limit when the connection is closed. */
  readonly #closing = new AbortController();
  readonly #frames: FrameReader;
  readonly #outbox: Outbox;
  readonly #ahead = new Ahead(this);
  #last: Promise<unknown> = Promise.resolve();
  /** Failures that the server answered, as opposed to failures to read its answer. */
  readonly #answered = new WeakSet<BargeError>();
  #reading = false;
  /** The keep-alives during a pause; undefined: no request pauses. */
  #alive: { readonly since: number; beat: () => Promise<unknown>; busy: boolean } | undefined;
  #timeoutMs = idleTimeoutMs;
  /** When a byte was last sent or received, by performance.now(). */
  #lastMoved = performance.now();
  #onClose: (() => void)[] = [];

  /**
   * @param stream owned by the client, which closes it
   * @param limit slows sending and receiving down; undefined: no limit
   */
  constructor(stream: Stream, limit?: RateLimit) {
    this.#stream = stream;
    this.#limit = limit;
    this.peer = stream.peer;
    this.#frames = new FrameReader({ read: (into) => this.#read(into) });
    this.#outbox = new Outbox(stream, limit, this.#closing.signal);
    const sweeping = startInterval(() => this.#sweep(), 1000);
    this.onClose(() => sweeping[Symbol.dispose]());
  }

  /** The binding to the server's certificate; undefined: there is no TLS. */
  get tlsBinding(): string | undefined {
    return this.#stream.tlsBinding;
  }

  /** Why the connection is closed; undefined while it is open. */
  get closed(): BargeError | undefined {
    return this.#stream.closed;
  }

  /** @throws {BargeError} `interrupted` if a signal has closed the connection */
  throwIfInterrupted(): void {
    if (this.closed?.kind === "interrupted") throw this.closed;
  }

  /**
   * Sends the first request of a connection.
   *
   * @param agent this program's name and version
   * @param timeout milliseconds
   * @throws {BargeError} `unsupported` if the server speaks another version; `protocol`;
   *   `unavailable`
   */
  async greet(agent: string, timeout: number): Promise<void> {
    // Set inside the turn: a login that was sent with it reads `hello` in the next turn.
    const turn: Turn<void> = async (frames) => {
      this.hello = await this.next("hello", frames);
    };
    await this.request({ verb: "hello", version, agent }, turn, timeout);
    if (this.hello.version === version) return;
    const why = `the server speaks version ${this.hello.version}, this program ${version}`;
    throw this.#fail(new BargeError("unsupported", why, { path: this.peer }));
  }

  /**
   * Sends a request whose answer is one frame, and waits for it. Several may be under way.
   *
   * @param timeoutMs the longest time without a byte
   * @throws {BargeError} the server's failure; why the connection is closed
   */
  async ask<V extends Verb & AnswerName>(
    verb: V,
    fields: Fields<RequestInput<V>>,
    timeoutMs = idleTimeoutMs,
  ): Promise<Answer<V>> {
    return await this.request(
      { verb, ...fields } as RequestInput,
      (frames) => this.next(verb, frames),
      timeoutMs,
    );
  }

  /** Sends a request, and waits until a turn has read its answer. @throws as {@link ask} */
  async request<T>(request: RequestInput, turn: Turn<T>, timeoutMs = idleTimeoutMs): Promise<T> {
    const begun = this.takeAhead(request, turn, timeoutMs);
    if (begun) return await begun;
    const frame = encodeFrame(request);
    const answer = this.answer(turn, timeoutMs);
    answer.catch(() => {/* awaited below; sending may fail first */});
    await this.send(frame);
    await this.flush();
    return await answer;
  }

  /**
   * Sends a request before its answer is needed, by the next {@link flush}. The next equal {@link request}
   * takes the answer; any other request drops it. A request too long for a frame is not sent.
   */
  askAhead(request: AheadRequest): void {
    let frame;
    try {
      frame = encodeFrame(request);
    } catch {
      return; // the later request reports it
    }
    this.#ahead.add(request, idleTimeoutMs, (reading) =>
      this.#queue(async (frames) => {
        const { turn, timeoutMs } = await this.aside(reading);
        this.#timeoutMs = timeoutMs;
        return await turn(frames);
      }, idleTimeoutMs));
    this.send(frame).catch(() => {/* the answer fails as well */});
  }

  /** Reads the answer to an equal request that {@link askAhead} has sent; undefined if there is none. */
  takeAhead<T>(request: RequestInput, turn: Turn<T>, timeoutMs: number): Promise<T> | undefined {
    return this.#ahead.take(request, { turn, timeoutMs }) as Promise<T> | undefined;
  }

  /** Returns whether {@link askAhead} has sent an equal request whose answer is not taken yet. */
  isAhead(request: AheadRequest): boolean {
    return this.#ahead.has(request);
  }

  /**
   * Takes bytes to be sent, at the latest by the next {@link flush}. Queue the turn that reads the
   * answer first, in the same tick. The bytes may be changed once the promise resolves.
   */
  async send(...parts: readonly Uint8Array[]): Promise<void> {
    try {
      await this.#outbox.send(...parts);
      this.#lastMoved = performance.now();
    } catch (cause) {
      throw this.#broken(cause);
    }
  }

  /** Sends the gathered bytes. */
  async flush(): Promise<void> {
    try {
      await this.#outbox.flush();
      this.#lastMoved = performance.now();
    } catch (cause) {
      throw this.#broken(cause);
    }
  }

  /**
   * Queues the reading of an answer after the earlier ones.
   *
   * @param timeoutMs the longest time without a byte while it reads
   */
  answer<T>(turn: Turn<T>, timeoutMs = idleTimeoutMs): Promise<T> {
    this.#ahead.drop();
    return this.#queue(turn, timeoutMs);
  }

  #queue<T>(turn: Turn<T>, timeoutMs: number): Promise<T> {
    const result = this.#last.then(() => this.#turn(turn, timeoutMs));
    this.#last = result.catch(() => {/* the caller handles it */});
    return result;
  }

  /**
   * Reads one frame of an answer, inside a turn.
   *
   * @throws {BargeError} the server's failure
   */
  async next<V extends AnswerName>(verb: V, frames: FrameReader): Promise<Answer<V>> {
    const frame = await frames.frame();
    if (frame === null) throw new BargeError("unavailable", "the server closed the connection");
    try {
      return parseAnswer(verb, frame.value);
    } catch (error) {
      // The server continues after its own failures, and closes after a broken frame.
      const isAnswer = error instanceof BargeError && error.op !== "answer";
      if (isAnswer && frame.value.ok === false && error.kind !== "protocol") {
        this.#answered.add(error);
      }
      throw error;
    }
  }

  /** Awaits local work inside a turn, whose time does not count as the server's silence. */
  async aside<T>(promise: Promise<T>): Promise<T> {
    this.#reading = false;
    try {
      return await promise;
    } finally {
      this.#reading = true;
      this.#lastMoved = performance.now();
    }
  }

  /**
   * Sends keep-alives while nothing else is sent, at the interval of the server's hello if it has
   * one, until the result is disposed.
   *
   * @param beat sends one keep-alive; not called again before it has resolved
   */
  keepAlive(beat: () => Promise<unknown>): Disposable {
    const alive = this.#alive = { since: performance.now(), beat, busy: false };
    return {
      [Symbol.dispose]: () => {
        if (this.#alive === alive) this.#alive = undefined;
      },
    };
  }

  /** Awaits long local work inside a turn, with keep-alives to the server. */
  async paused<T>(promise: Promise<T>): Promise<T> {
    using _alive = this.keepAlive(() => {
      this.ask("ping", {}).catch(() => {/* the request under way reports it */});
      return this.flush();
    });
    return await this.aside(promise);
  }

  /** Returns whether the server answered this failure, so that the connection stays open. */
  isAnswer(error: unknown): boolean {
    return error instanceof BargeError && this.#answered.has(error);
  }

  /** Calls back once, when the connection is closed or if it already is. */
  onClose(callback: () => void): void {
    if (this.closed) callback();
    else this.#onClose.push(callback);
  }

  /** Closes the connection; waiting calls fail with the reason. */
  close(reason: BargeError = new BargeError("unavailable", "the connection is closed")): void {
    this.#fail(reason);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes without `bye`, which would cost a round trip. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#last;
  }

  async #turn<T>(turn: Turn<T>, timeoutMs: number): Promise<T> {
    if (this.closed) throw this.closed;
    this.#timeoutMs = timeoutMs;
    this.#lastMoved = performance.now();
    this.#reading = true;
    try {
      return await turn(this.#frames);
    } catch (cause) {
      if (this.isAnswer(cause)) throw cause;
      throw this.#broken(cause);
    } finally {
      this.#reading = false;
    }
  }

  /**
   * Reads without the stream's deadline. The stream fixes it when the read begins, so the read would fail
   * while an upload still moves bytes. {@link #sweep} checks the deadline instead.
   */
  async #read(into: Uint8Array): Promise<number | null> {
    const { idleTimeoutMs } = this.#stream;
    this.#stream.idleTimeoutMs = Infinity;
    const reading = this.#stream.read(into.subarray(0, this.#limit?.pieceBytes));
    this.#stream.idleTimeoutMs = idleTimeoutMs;
    const n = await reading;
    if (n) await this.#limit?.take(n, this.#closing.signal);
    this.#lastMoved = performance.now();
    return n;
  }

  /** Checks the deadlines. */
  #sweep(): void {
    this.#sendAlive();
    if (!this.#reading || performance.now() - this.#lastMoved < this.#timeoutMs) return;
    const seconds = Math.round(this.#timeoutMs / 1000);
    this.#fail(new BargeError("unavailable", `${this.peer} gave no answer for ${seconds} s`));
  }

  #sendAlive(): void {
    const alive = this.#alive;
    const { pause } = this.hello ?? {};
    if (!alive || alive.busy || !pause) return;
    const last = Math.max(alive.since, this.#outbox.lastWrite);
    if (performance.now() - last < pause.every * 1000) return;
    alive.busy = true;
    alive.beat().then(() => alive.busy = false, () => {/* the request under way reports it */});
  }

  /**
   * Closes because reading or writing failed. The error of a broken connection has no path, since
   * the callers add the verb and the file.
   */
  #broken(cause: unknown): BargeError {
    const error = typed(cause, { path: this.peer });
    if (error.kind !== "unavailable" || error.path !== this.peer) return this.#fail(error);
    const why = `lost the connection to the server ${this.peer} (${error.message})`;
    return this.#fail(new BargeError("unavailable", why, { cause }));
  }

  /** Closes the connection, if it is open. @returns the reason for which it was closed */
  #fail(error: BargeError): BargeError {
    if (this.closed) return this.closed;
    this.#stream.close(error);
    this.#closing.abort(error);
    this.#frames[Symbol.dispose]();
    for (const callback of this.#onClose.splice(0)) callback();
    return error;
  }
}
