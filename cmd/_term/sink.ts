/**
 * Writes to a standard stream without blocking the program.
 *
 * A terminal is written within the call, so that both streams appear there in order. A pipe or file
 * is written by a thread of the runtime: a pipe that is not read must not keep the program from
 * receiving Ctrl-C. Callers that print much wait with {@link Sink.keepUp}, which bounds the
 * queue.
 *
 * States: open -> gone (its reader has closed it) or failed (a full disk); both empty the queue.
 */
import { type BargeError, typed } from "../../core/error.ts";

/** The number of queued bytes from which {@link Sink.keepUp} waits. */
const queuedBytes = 256 * 1024;
/** The time between writes to a full pipe that another process made non-blocking, in ms. */
const retryMs = 5;

/** The stream that a {@link Sink} writes to. */
export interface Destination {
  write(bytes: Uint8Array): Promise<number>;
  writeSync(bytes: Uint8Array): number;
}

export class Sink {
  readonly #to: Destination;
  readonly #name: string;
  readonly #atOnce: boolean;
  readonly #queue: Uint8Array[] = [];
  #queued = 0;
  #writing: Promise<void> | undefined;
  #ended = false;
  readonly #onEnd: (failure: BargeError | undefined) => void;

  /**
   * @param name the name of the stream in messages
   * @param atOnce write within the call, while nothing is queued
   * @param onEnd called once when writing has failed, with the failure; undefined: it has no reader
   */
  constructor(
    to: Destination,
    { name, atOnce, onEnd }: {
      readonly name: string;
      readonly atOnce: boolean;
      readonly onEnd: (failure: BargeError | undefined) => void;
    },
  ) {
    this.#to = to;
    this.#name = name;
    this.#atOnce = atOnce;
    this.#onEnd = onEnd;
  }

  /** Queues bytes, which must not be changed later. After the end they are dropped. */
  write(bytes: Uint8Array): void {
    if (this.#ended) return;
    const rest = this.#atOnce && !this.#writing ? this.#writeNow(bytes) : bytes;
    if (rest.length === 0 || this.#ended) return;
    this.#queue.push(rest);
    this.#queued += rest.length;
    this.#writing ??= this.#drain().finally(() => this.#writing = undefined);
  }

  /** Resolves when all queued bytes are written, or when writing has failed. */
  async drained(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  /** Waits while many bytes are queued. @throws the reason of the signal */
  keepUp(signal?: AbortSignal): Promise<void> | undefined {
    if (this.#queued < queuedBytes) return undefined;
    return this.#untilDrained(signal);
  }

  async #untilDrained(signal: AbortSignal | undefined): Promise<void> {
    const stopped = Promise.withResolvers<void>();
    const stop = () => stopped.resolve();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      if (!signal?.aborted) await Promise.race([this.drained(), stopped.promise]);
      signal?.throwIfAborted();
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /** @returns the bytes that the terminal does not take now */
  #writeNow(bytes: Uint8Array): Uint8Array {
    let rest = bytes;
    try {
      while (rest.length > 0) rest = rest.subarray(this.#to.writeSync(rest));
    } catch (cause) {
      if (!(cause instanceof Deno.errors.WouldBlock)) this.#end(cause);
    }
    return rest;
  }

  async #drain(): Promise<void> {
    for (let bytes = this.#queue.shift(); bytes; bytes = this.#queue.shift()) {
      for (let at = 0; at < bytes.length && !this.#ended;) {
        try {
          at += await this.#to.write(bytes.subarray(at));
        } catch (cause) {
          if (!(cause instanceof Deno.errors.WouldBlock)) this.#end(cause);
          else await new Promise((resolve) => setTimeout(resolve, retryMs));
        }
      }
      this.#queued -= bytes.length;
    }
  }

  #end(cause: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#queue.length = 0;
    this.#queued = 0;
    const gone = cause instanceof Deno.errors.BrokenPipe;
    this.#onEnd(gone ? undefined : typed(cause, { op: "write", path: this.#name }));
  }
}
