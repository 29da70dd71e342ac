/** Latencies from a microsecond to ten minutes, each with three digits (HdrHistogram). */
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64 } from "hdr-histogram-js";

const maxLatencyUs = 600_000_000;

/** A bar of a drawn histogram. */
export interface Bar {
  /** The highest latency that it counts, in ms. */
  readonly upTo: number;
  /** Answers above the limit of the bar before it. */
  readonly count: number;
}

export class Latencies {
  // Microseconds, in 64 bits: hours of a fast server fit.
  readonly #all = build({
    bitBucketSize: 64,
    lowestDiscernibleValue: 1,
    highestTrackableValue: maxLatencyUs,
    numberOfSignificantValueDigits: 3,
    autoResize: false,
    useWebAssembly: false,
  });
  #sum = 0;

  get count(): number {
    return this.#all.totalCount;
  }

  /** Adds a latency in ms; one above ten minutes counts as ten minutes. */
  add(ms: number): void {
    this.#sum += ms;
    this.#all.recordValue(Math.min(maxLatencyUs, Math.max(1, Math.round(ms * 1000))));
  }

  /** Returns a percentile in ms; 0 when there are no latencies. */
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

  /** Returns bars with the limits 1, 2, 5, 10, 20, ... times a power of ten, up to the maximum. */
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

  /** Returns the latencies as text, for {@link merge} in another isolate. */
  encode(): string {
    return encodeIntoCompressedBase64(this.#all);
  }

  /** Adds the latencies that another isolate has encoded. @param mean their mean, in ms */
  merge(encoded: string, mean: number): void {
    const other = decodeFromCompressedBase64(encoded, 64, false);
    this.#sum += mean * other.totalCount;
    this.#all.add(other);
  }

  #below(ms: number): number {
    const share = ms >= this.max ? 1 : this.#share(ms);
    return Math.round(share * this.count);
  }

  /** Returns the share of latencies up to `ms`, by bisection: the library has percentiles only. */
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
