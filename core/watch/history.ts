/**
 * How much the server moved in the last hour and day: a few hundred samples of what the metrics have
 * counted, in memory that all workers share.
 *
 * One isolate writes (the supervisor, who has no clients to keep waiting), all may read. Each scale is
 * a ring: a sample is written whole before the count that makes it visible, and the one that is
 * overwritten next is shown to nobody. It begins anew when the server is started.
 */

/** How often it is to be sampled, in ms. */
export const sampleIntervalMs = 10_000;

/** The spans that can be looked at: how far apart their samples are, in ms, and how many there are. */
const scales = {
  hour: { step: sampleIntervalMs, length: 362 },
  day: { step: 300_000, length: 290 },
} as const;
export type Span = keyof typeof scales;
export const spans = Object.keys(scales) as readonly Span[];

/** What had been moved at one moment. */
export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Bytes of files since the server's start. */
  readonly received: number;
  readonly sent: number;
}

/** Bytes a second between one sample and the next. */
export interface Rate {
  readonly from: number;
  readonly to: number;
  readonly received: number;
  readonly sent: number;
}

const fields = 3;

/** Memory for one; to be posted to each worker. */
export function makeHistory(): SharedArrayBuffer {
  const cells = Object.values(scales).reduce((sum, { length }) => sum + 1 + length * fields, 0);
  return new SharedArrayBuffer(cells * Float64Array.BYTES_PER_ELEMENT);
}

export class History {
  readonly #rings: { readonly [span in Span]: Ring };

  constructor(memory: SharedArrayBuffer = makeHistory()) {
    const { hour, day } = scales;
    const cells = new Float64Array(memory);
    const cut = 1 + hour.length * fields;
    this.#rings = {
      hour: new Ring(cells.subarray(0, cut), hour.step),
      day: new Ring(cells.subarray(cut), day.step),
    };
  }

  /** Takes a sample, where one is due. For one isolate only. */
  sample(moved: Pick<Sample, "received" | "sent">, at = Date.now()): void {
    for (const span of spans) this.#rings[span].add({ at, ...moved });
  }

  /**
   * What was moved in a span, up to now.
   *
   * @param moved what has been moved by now
   * @returns oldest first; empty where nothing was sampled
   */
  rates(span: Span, moved: Pick<Sample, "received" | "sent">, at = Date.now()): Rate[] {
    const samples = this.#rings[span].all();
    return ratesOf([...samples, { at, ...moved }]);
  }
}

/**
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

/** The first cell counts what was ever written. */
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
