/**
 * A connection that never waits for ever: every read and write has a deadline, and can be cut.
 *
 * Invariants: bytes are read only when asked for (back-pressure is the kernel's); at most one read
 * and one write wait at a time; once closed, for whatever reason, every call fails with that reason.
 * Deadlines are kept by one sweep a second for all streams, not by a timer a call, so that a
 * deadline may be up to a second late.
 */
import { BargeError, typed } from "../error.ts";
import type { Pace } from "./pace.ts";

const sweepEvery = 1000;
const open = new Set<Stream>();
let sweeper: ReturnType<typeof setInterval> | undefined;

/** Most streams end well; a reason of its own, with the calls that led to it, costs each 10 us. */
const closed = new BargeError("unavailable", "the connection is closed");

/** What a stream needs of a connection: plain, TLS of Deno's or of Node's. */
export type Pipe = Pick<Deno.Conn, "read" | "write" | "closeWrite" | "close"> & {
  /** The certificate that a login is bound to (end_point.ts); undefined: there is no TLS. */
  readonly endPoint?: string;
};

/** Bytes to and from one peer. */
export class Stream implements Disposable {
  /** Milliseconds that a read or a write may go without a byte moving. */
  patience: number;
  /** The least that the peer has to send, and to take, while it is waited for; undefined: any. */
  paces: { readonly read: Pace; readonly write: Pace } | undefined;
  /** Who is at the other end, for messages and logs. */
  readonly peer: string;
  #conn: Pipe;
  /** Called repeatedly while a write waits, once it has waited for a quarter of its time. */
  onStall: (() => void) | undefined;
  #readBy = Infinity;
  #writeBy = Infinity;
  /** The start times of the waiting read and write; undefined: none waits. */
  #readBegan: number | undefined;
  #writeBegan: number | undefined;
  /** What the read and the write that wait were given, for the message when it is over. */
  #given = { read: 0, write: 0 };
  #closed: BargeError | undefined;

  /**
   * @param conn taken over: closing the stream closes it
   * @param peer the other end's name
   * @param patience milliseconds without progress before the stream is cut
   */
  constructor(conn: Pipe, peer: string, patience: number) {
    this.#conn = conn;
    this.peer = peer;
    this.patience = patience;
    if ("setNoDelay" in conn) (conn as Deno.TcpConn).setNoDelay(true);
    open.add(this);
    sweeper ??= setInterval(sweep, sweepEvery);
  }

  /** The binding to the server's certificate; undefined: there is no TLS. */
  get endPoint(): string | undefined {
    return this.#conn.endPoint;
  }

  /** Why the stream is closed, or undefined while it is open. */
  get closed(): BargeError | undefined {
    return this.#closed;
  }

  /**
   * Reads what has arrived, at least one byte.
   *
   * @param into where to; at most its length is read
   * @returns how many bytes, or null when the peer has ended its side
   * @throws {BargeError} `unavailable` when the connection broke, or nothing came in time
   */
  async read(into: Uint8Array): Promise<number | null> {
    this.#check();
    const began = this.#readBegan = performance.now();
    this.#wait(this.patience);
    const pace = this.paces?.read;
    try {
      const n = await this.#conn.read(into);
      this.#check(); // a TLS connection that is cut while it is read says that it has ended
      if (n !== null) this.#judge(pace, n, began, "sends");
      return n;
    } catch (cause) {
      throw this.#failed(cause);
    } finally {
      this.#readBegan = undefined;
      this.#readBy = Infinity;
    }
  }

  /** Restarts the deadline of the waiting read, if any, with `patience`. */
  renewRead(): void {
    if (this.#readBegan !== undefined) this.#wait(this.patience);
  }

  /**
   * Restarts the deadline of the waiting write, if any: the peer has shown that it is alive.
   *
   * @returns the milliseconds waited since the last restart, which its pace leaves out; undefined
   *   where no write waits
   */
  renewWrite(): number | undefined {
    const now = performance.now();
    const began = this.#writeBegan;
    if (began === undefined) return undefined;
    this.#writeBegan = now;
    this.#writeBy = now + this.#given.write;
    return now - began + (this.paces?.write.forgive() ?? 0);
  }

  /**
   * Writes all of the bytes.
   *
   * @param patience milliseconds without progress, where reading is given another time
   * @throws {BargeError} `unavailable` when the connection broke, or the peer does not read
   */
  async write(bytes: Uint8Array, patience = this.patience): Promise<void> {
    this.#check();
    this.#given.write = patience;
    try {
      for (let done = 0; done < bytes.length;) {
        this.#writeBegan = performance.now();
        this.#writeBy = this.#writeBegan + patience;
        const n = await this.#conn.write(done === 0 ? bytes : bytes.subarray(done));
        this.#judge(this.paces?.write, n, this.#writeBegan, "takes");
        done += n;
      }
    } catch (cause) {
      throw this.#failed(cause);
    } finally {
      this.#writeBegan = undefined;
      this.#writeBy = Infinity;
    }
  }

  /**
   * Goes on over a connection that is laid over this one, as TLS is. Nothing else may wait on the
   * stream meanwhile.
   *
   * @param lay takes the one below over, unless it fails; what it returns closes it, too
   * @param patience milliseconds until that must be done
   * @throws {BargeError} what `lay` throws, after which the stream is closed; `unavailable` when it
   *   was not done in time
   */
  async upgrade<P extends Pipe & { abandon(): void }>(
    lay: (below: Pipe) => Promise<P>,
    patience: number,
  ): Promise<P> {
    this.#check();
    this.#given.read = patience;
    this.#readBy = performance.now() + patience;
    try {
      const above = await lay(this.#conn);
      if (this.#closed) above.abandon();
      this.#check();
      return this.#conn = above;
    } catch (cause) {
      const failed = this.#failed(cause);
      this.close(failed);
      throw failed;
    } finally {
      this.#readBy = Infinity;
    }
  }

  /**
   * Ends our side: the peer reads to the end of what was written. Never throws.
   *
   * @param patience milliseconds until TLS's close_notify is sent; then the stream is closed
   */
  async end(patience = this.patience): Promise<void> {
    if (this.#closed) return;
    this.#given.write = patience;
    this.#writeBy = performance.now() + patience;
    await this.#conn.closeWrite().catch(() => {/* it is gone already */});
    this.#writeBy = Infinity;
  }

  /** Cuts the connection; whoever waits on it fails with the reason. */
  close(reason = closed): void {
    if (this.#closed) return;
    this.#closed = reason;
    open.delete(this);
    if (open.size === 0) {
      clearInterval(sweeper);
      sweeper = undefined;
    }
    this.#conn.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Cuts the stream when its deadline has passed. */
  sweep(now: number): void {
    const late = this.#readBy < now ? "read" : this.#writeBy < now ? "write" : undefined;
    const stalled = this.#writeBegan !== undefined &&
      now - this.#writeBegan > this.#given.write / 4;
    if (!late && stalled) this.onStall?.();
    if (!late) return;
    const what = late === "read" ? "sent nothing" : "read nothing";
    const seconds = Math.round(this.#given[late] / 1000);
    this.close(new BargeError("unavailable", `${this.peer} ${what} for ${seconds} s`));
  }

  #wait(patience: number): void {
    this.#given.read = patience;
    this.#readBy = performance.now() + patience;
  }

  #judge(pace: Pace | undefined, bytes: number, began: number, does: string): void {
    if (!pace?.late(bytes, performance.now() - began)) return;
    const { bytes: least, over } = pace.floor;
    const why = `${this.peer} ${does} less than ${least} bytes in ${Math.round(over / 1000)} s`;
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
  for (const stream of open) stream.sweep(now);
}
