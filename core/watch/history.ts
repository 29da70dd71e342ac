/**
 * The bytes moved in the last hour and day, as a few hundred samples of the metrics, in memory that all
 * workers share.
 *
 * One isolate writes, the supervisor, which serves no clients; all may read. Each span is a ring. A
 * sample is written before the count that makes it visible, and readers skip the sample that is
 * overwritten next. The history begins with the start of the server.
 */

export const sampleIntervalMs = 10_000;

/** For each span: the time between its samples in ms, and their number. */
const rings = {
  hour: { step: sampleIntervalMs, length: 362 },
  day: { step: 300_000, length: 290 },
} as const;
export type Span = keyof typeof rings;
export const spans = Object.keys(rings) as readonly Span[];

/** The bytes moved until one moment. */
export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Bytes of files since the server's start. */
  readonly received: number;
  readonly sent: number;
}

/** Bytes a second between two samples. */
export interface Rate extends Omit<Sample, "at"> {
  readonly from: number;
  readonly to: number;
}

const fields = 3;

/** Makes the memory of a history, to be posted to each worker. */
export function makeHistory(): SharedArrayBuffer {
  const cells = Object.values(rings).reduce((sum, { length }) => sum + 1 + length * fields, 0);
  return new SharedArrayBuffer(cells * Float64Array.BYTES_PER_ELEMENT);
}

export class History {
  readonly #rings: { readonly [span in Span]: Ring };

  constructor(memory: SharedArrayBuffer = makeHistory()) {
    const { hour, day } = rings;
    const cells = new Float64Array(memory);
    const cut = 1 + hour.length * fields;
    this.#rings = {
      hour: new Ring(cells.subarray(0, cut), hour.step),
      day: new Ring(cells.subarray(cut), day.step),
    };
  }

  /** Adds a sample to each span that is due. Only one isolate may call this. */
  sample(moved: Pick<Sample, "received" | "sent">, at = Date.now()): void {
    for (const span of spans) this.#rings[span].add({ at, ...moved });
  }

  /**
   * Returns the rates of a span until now.
   *
   * @param moved the bytes moved until now
   * @returns oldest first; empty without samples
   */
  rates(span: Span, moved: Pick<Sample, "received" | "sent">, at = Date.now()): Rate[] {
    const samples = this.#rings[span].all();
    return ratesOf([...samples, { at, ...moved }]);
  }
}

/**
 * Computes the rates between samples, which are oldest first.
 *
 * @example
 * ```ts
 * import { ratesOf } from "./history.ts";
 * const [rate] = ratesOf([{ at: 0, received: 0, sent: 10 }, { at: 2000, received: 4, sent: 10 }]);
 * if (rate.received !== 2 || rate.sent !== 0) throw new Error();
 * ```
 */
export function ratesOf(samples: readonly Sample[]): Rate[] {
  return samples.slice(1).flatMap((sample, i) => {
    const before = samples[i];
    const seconds = (sample.at - before.at) / 1000;
    if (seconds <= 0) return [];
    return [{
      from: before.at,
      to: sample.at,
      received: Math.max(0, sample.received - before.received) / seconds,
      sent: Math.max(0, sample.sent - before.sent) / seconds,
    }];
  });
}

/** A ring of samples. The first cell counts all samples ever written. */
class Ring {
  readonly #cells: Float64Array;
  readonly #step: number;
  readonly #length: number;

  constructor(cells: Float64Array, step: number) {
    this.#cells = cells;
    this.#step = step;
    this.#length = (cells.length - 1) / fields;
  }

  add({ at, received, sent }: Sample): void {
    const written = this.#cells[0];
    const last = written === 0 ? -Infinity : this.#at(written - 1).at;
    if (at - last < this.#step - sampleIntervalMs / 2) return; // timers are not exact
    this.#cells.set([at, received, sent], this.#cell(written));
    this.#cells[0] = written + 1;
  }

  all(): Sample[] {
    const written = this.#cells[0];
    const from = Math.max(0, written - this.#length + 1);
    return Array.from({ length: written - from }, (_, i) => this.#at(from + i));
  }

  #at(index: number): Sample {
    const cell = this.#cell(index);
    const [at, received, sent] = this.#cells.subarray(cell, cell + fields);
    return { at, received, sent };
  }

  #cell(index: number): number {
    return 1 + (index % this.#length) * fields;
  }
}
