/**
 * A connection on which every read and write has a deadline and can be cut.
 *
 * Invariants: bytes are read only on request, so that the kernel applies back-pressure; at most one
 * read and one write wait at a time; once the stream is closed, every call fails with the reason.
 * One sweep a second checks the deadlines of all streams, which is cheaper than a timer for each
 * call, so that a deadline may be up to a second late.
 */
import { BargeError, typed } from "../error.ts";
import { startInterval } from "./interval.ts";
import type { RateMeter } from "./min_rate.ts";

const sweepIntervalMs = 1000;
const openStreams = new Set<Stream>();
let sweeping: Disposable | undefined;

/** Shared by all streams, because an error with its own stack trace costs 10 us. */
const defaultReason = new BargeError("unavailable", "the connection is closed");

/** The methods of a connection that a stream uses, with TLS or without. */
export type Pipe = Pick<Deno.Conn, "read" | "write" | "closeWrite" | "close"> & {
  /** The certificate that a login is bound to (channel_binding.ts); undefined without TLS. */
  readonly tlsBinding?: string;
};

export class Stream implements Disposable {
  /** Milliseconds that a read or a write may wait without a byte moving. */
  idleTimeoutMs: number;
  /** Meters of the peer's sending and receiving; undefined for no minimum. */
  rates: { readonly read: RateMeter; readonly write: RateMeter } | undefined;
  /** The name of the other end, for messages and logs. */
  readonly peer: string;
  #conn: Pipe;
  /** Called repeatedly while a write waits, once it has waited for a quarter of its time. */
  onStall: (() => void) | undefined;
  #readDeadline = Infinity;
  #writeDeadline = Infinity;
  /** The start times of the waiting read and write; undefined where none waits. */
  #readStart: number | undefined;
  #writeStart: number | undefined;
  /** The timeouts of the latest read and write, for messages. */
  #timeoutMs = { read: 0, write: 0 };
  #closed: BargeError | undefined;

  /**
   * @param conn closed with the stream
   * @param peer the name of the other end
   */
  constructor(conn: Pipe, peer: string, idleTimeoutMs: number) {
    this.#conn = conn;
    this.peer = peer;
    this.idleTimeoutMs = idleTimeoutMs;
    if ("setNoDelay" in conn) (conn as Deno.TcpConn).setNoDelay(true);
    openStreams.add(this);
    sweeping ??= startInterval(sweep, sweepIntervalMs);
  }

  /** The binding to the server's certificate; undefined without TLS. */
  get tlsBinding(): string | undefined {
    return this.#conn.tlsBinding;
  }

  /** The reason why the stream is closed; undefined while it is open. */
  get closed(): BargeError | undefined {
    return this.#closed;
  }

  /**
   * Reads the bytes that have arrived, at least one.
   *
   * @param into receives the bytes; at most its length is read
   * @returns the number of bytes, or null when the peer has ended its side
   * @throws {BargeError} `unavailable` when the connection broke, or nothing came in time
   */
  async read(into: Uint8Array): Promise<number | null> {
    this.#check();
    const start = this.#readStart = performance.now();
    this.#startRead(this.idleTimeoutMs);
    const meter = this.rates?.read;
    try {
      const n = await this.#conn.read(into);
      this.#check(); // a TLS connection that was cut during the read reports an end
      if (n !== null) this.#checkRate(meter, n, start, "sends");
      return n;
    } catch (cause) {
      throw this.#failed(cause);
    } finally {
      this.#readStart = undefined;
      this.#readDeadline = Infinity;
    }
  }

  /** Restarts the deadline of the waiting read, if any, with `idleTimeoutMs`. */
  renewRead(): void {
    if (this.#readStart !== undefined) this.#startRead(this.idleTimeoutMs);
  }

  /**
   * Restarts the deadline of the waiting write, if any: the peer has shown that it is alive.
   *
   * @returns the milliseconds since the last restart, which do not count for its rate; undefined
   *   where no write waits
   */
  renewWrite(): number | undefined {
    const now = performance.now();
    const start = this.#writeStart;
    if (start === undefined) return undefined;
    this.#writeStart = now;
    this.#writeDeadline = now + this.#timeoutMs.write;
    return now - start + (this.rates?.write.restartIfSlow() ?? 0);
  }

  /**
   * Writes all of the bytes.
   *
   * @param timeoutMs milliseconds without progress before the stream is cut
   * @throws {BargeError} `unavailable` when the connection broke, or the peer does not read
   */
  async write(bytes: Uint8Array, timeoutMs = this.idleTimeoutMs): Promise<void> {
    this.#check();
    this.#timeoutMs.write = timeoutMs;
    try {
      for (let done = 0; done < bytes.length;) {
        this.#writeStart = performance.now();
        this.#writeDeadline = this.#writeStart + timeoutMs;
        const n = await this.#conn.write(done === 0 ? bytes : bytes.subarray(done));
        this.#checkRate(this.rates?.write, n, this.#writeStart, "receives");
        done += n;
      }
    } catch (cause) {
      throw this.#failed(cause);
    } finally {
      this.#writeStart = undefined;
      this.#writeDeadline = Infinity;
    }
  }

  /**
   * Replaces the connection by another one on top of it, such as TLS. No read or write may wait
   * meanwhile.
   *
   * @param wrap returns the new connection, which closes the one below with itself
   * @param timeoutMs milliseconds until `wrap` must be done
   * @throws {BargeError} the error of `wrap`; `unavailable` at the timeout; in both cases the stream
   *   is closed
   */
  async upgrade<P extends Pipe & { abandon(): void }>(
    wrap: (below: Pipe) => Promise<P>,
    timeoutMs: number,
  ): Promise<P> {
    this.#check();
    this.#startRead(timeoutMs);
    try {
      const wrapped = await wrap(this.#conn);
      if (this.#closed) wrapped.abandon();
      this.#check();
      return this.#conn = wrapped;
    } catch (cause) {
      const failed = this.#failed(cause);
      this.close(failed);
      throw failed;
    } finally {
      this.#readDeadline = Infinity;
    }
  }

  /**
   * Ends our side, so that the peer reads all written bytes and then the end. Never throws.
   *
   * @param timeoutMs milliseconds until TLS's close_notify is sent; then the stream is closed
   */
  async end(timeoutMs = this.idleTimeoutMs): Promise<void> {
    if (this.#closed) return;
    this.#timeoutMs.write = timeoutMs;
    this.#writeDeadline = performance.now() + timeoutMs;
    await this.#conn.closeWrite().catch(() => {/* the connection is gone already */});
    this.#writeDeadline = Infinity;
  }

  /** Cuts the connection; waiting reads and writes fail with the reason. */
  close(reason = defaultReason): void {
    if (this.#closed) return;
    this.#closed = reason;
    openStreams.delete(this);
    if (openStreams.size === 0) {
      sweeping?.[Symbol.dispose]();
      sweeping = undefined;
    }
    this.#conn.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Cuts the stream when its deadline has passed. */
  sweep(now: number): void {
    const { read, write } = this.#timeoutMs;
    if (this.#readDeadline < now) return this.#expire("sent nothing", read);
    if (this.#writeDeadline < now) return this.#expire("read nothing", write);
    const start = this.#writeStart;
    if (start !== undefined && now - start > write / 4) this.onStall?.();
  }

  #expire(inaction: string, ms: number): void {
    const why = `${this.peer} ${inaction} for ${Math.round(ms / 1000)} s`;
    this.close(new BargeError("unavailable", why));
  }

  #startRead(timeoutMs: number): void {
    this.#timeoutMs.read = timeoutMs;
    this.#readDeadline = performance.now() + timeoutMs;
  }

  /** Closes the stream if the peer is too slow. @throws {BargeError} `unavailable` if it is */
  #checkRate(meter: RateMeter | undefined, bytes: number, start: number, verb: string): void {
    if (!meter?.record(bytes, performance.now() - start)) return;
    const { bytes: minBytes, periodMs } = meter.minRate;
    const seconds = Math.round(periodMs / 1000);
    const why = `${this.peer} ${verb} less than ${minBytes} bytes in ${seconds} s`;
    this.close(new BargeError("unavailable", why));
    this.#check();
  }

  #check(): void {
    if (this.#closed) throw this.#closed;
  }

  #failed(cause: unknown): BargeError {
    return this.#closed ?? typed(cause, { path: this.peer });
  }
}

function sweep(): void {
  const now = performance.now();
  for (const stream of openStreams) stream.sweep(now);
}
