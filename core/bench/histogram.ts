/** Latencies, from a microsecond to ten minutes, each to three digits (HdrHistogram). */
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64 } from "hdr-histogram-js";

const most = 600_000_000;
/** The percentiles that are reported. */
export const percentiles = [50, 75, 90, 99, 99.9, 99.99] as const;

/** A bar of a drawn histogram: so many answers took at most so many ms. */
export interface Bar {
  readonly upTo: number;
  readonly count: number;
}

export class Latencies {
  // Microseconds, in 64 bits: hours of a fast server fit.
  readonly #all = build({
    ...{ bitBucketSize: 64, lowestDiscernibleValue: 1, highestTrackableValue: most },
    ...{ numberOfSignificantValueDigits: 3, autoResize: false, useWebAssembly: false },
  });
  #sum = 0;

  get count(): number {
    return this.#all.totalCount;
  }

  /** Adds one, in ms; what is longer than ten minutes counts as that. */
  add(ms: number): void {
    this.#sum += ms;
    this.#all.recordValue(Math.min(most, Math.max(1, Math.round(ms * 1000))));
  }

  /** In ms; 0 when there are none. */
  percentile(p: number): number {
    return this.count === 0 ? 0 : this.#all.getValueAtPercentile(p) / 1000;
  }

  get max(): number {
    return this.count === 0 ? 0 : this.#all.maxValue / 1000;
  }

  get min(): number {
    return this.count === 0 ? 0 : this.#all.minNonZeroValue / 1000;
  }

  get mean(): number {
    return this.count === 0 ? 0 : this.#sum / this.count;
  }

  /** All of them in bars whose limits are 1, 2, 5, 10, 20, ... times the least. */
  bars(): Bar[] {
    if (this.count === 0) return [];
    const bars: { upTo: number; count: number }[] = [];
    let from = 10 ** Math.floor(Math.log10(this.min));
    let before = 0;
    for (let i = 0; before < this.count; i++) {
      const upTo = from * [1, 2, 5][i % 3];
      if (i % 3 === 2) from *= 10;
      const below = this.#below(upTo);
      if (below > 0) bars.push({ upTo, count: below - before });
      before = below;
    }
    return bars;
  }

  /** For another isolate, or a file. */
  encode(): string {
    return encodeIntoCompressedBase64(this.#all);
  }

  /** Adds what another isolate has encoded. @param mean of those, in ms */
  merge(encoded: string, mean: number): void {
    const other = decodeFromCompressedBase64(encoded, 64, false);
    this.#sum += mean * other.totalCount;
    this.#all.add(other);
  }

  #below(ms: number): number {
    const share = ms >= this.max ? 1 : this.#share(ms);
    return Math.round(share * this.count);
  }

  /** Which share is at most so long: found by halving, as the library tells percentiles alone. */
  #share(ms: number): number {
    let [low, high] = [0, 100];
    for (let i = 0; i < 40; i++) {
      const middle = (low + high) / 2;
      if (this.percentile(middle) <= ms) low = middle;
      else high = middle;
    }
    return low / 100;
  }
}
