/** Latencies from a microsecond to ten minutes, each with three digits (HdrHistogram). */
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64 } from "hdr-histogram-js";

const maxLatencyUs = 600_000_000;

/** Latencies in text, and their mean in ms, which the text does not have. */
export interface EncodedLatencies {
  readonly encoded: string;
  readonly mean: number;
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

  /**
   * Returns the number of latencies up to each limit (in ms) and above the limit before it. The
   * limits are 1, 2, 5, 10, 20, ... times a power of ten.
   */
  bars() {
    const bars: { upTo: number; count: number }[] = [];
    if (this.count === 0) return bars;
    let from = 10 ** Math.floor(Math.log10(this.min));
    let before = 0;
    for (let i = 0; before < this.count; i++) {
      const upTo = from * [1, 2, 5][i % 3];
      if (i % 3 === 2) from *= 10;
      const below = Math.round(this.#share(upTo) * this.count);
      if (below > 0) bars.push({ upTo, count: below - before });
      before = below;
    }
    return bars;
  }

  /** Returns the latencies in a form that can be posted, for {@link merge} in another isolate. */
  encode(): EncodedLatencies {
    return { encoded: encodeIntoCompressedBase64(this.#all), mean: this.mean };
  }

  /** Adds the latencies of another isolate. */
  merge({ encoded, mean }: EncodedLatencies): void {
    const other = decodeFromCompressedBase64(encoded, 64, false);
    this.#sum += mean * other.totalCount;
    this.#all.add(other);
  }

  /** Returns the share of latencies up to `ms`, by bisection: the library has percentiles only. */
  #share(ms: number): number {
    if (ms >= this.max) return 1;
    let [low, high] = [0, 100];
    for (let i = 0; i < 40; i++) {
      const middle = (low + high) / 2;
      if (this.percentile(middle) <= ms) low = middle;
      else high = middle;
    }
    return low / 100;
  }
}
