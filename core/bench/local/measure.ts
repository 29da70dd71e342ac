/**
 * Measures several ways to do the same on this machine. They take turns, so that a temporary
 * disturbance of the machine affects all of them.
 */

export interface Way {
  readonly name: string;
  /** The means of this way: workers, subprocesses, tasks. */
  readonly is: string;
  /** The course's measurement for comparison (docs/demo.md). */
  readonly author?: { readonly what: string; readonly seconds: number };
  /** Does the work once. @returns seconds */
  run(signal: AbortSignal): Promise<number>;
}

export interface Subject {
  readonly name: string;
  /** The work, with numbers. */
  readonly title: string;
  /** The difference from the course's program, if any. */
  readonly scale?: string;
  readonly ways: readonly Way[];
}

/** A way with its measured times. */
export interface Row extends Omit<Way, "run"> {
  readonly seconds: readonly number[];
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/**
 * Measures all ways in turn, `repetitions` times.
 *
 * @param onRun called before each run
 * @returns the ways that ran at least once before the signal was aborted
 */
export async function measure(
  { ways }: Subject,
  repetitions: number,
  signal: AbortSignal,
  onRun: (name: string, repetition: number) => void = () => {},
): Promise<Row[]> {
  const times = ways.map(() => [] as number[]);
  for (let i = 0; i < repetitions; i++) {
    for (const [at, way] of ways.entries()) {
      if (signal.aborted) break;
      onRun(way.name, i + 1);
      try {
        times[at].push(await way.run(signal));
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }
  return ways.flatMap(({ run: _, ...way }, at) => {
    const seconds = times[at];
    if (seconds.length === 0) return [];
    const [least, most] = [Math.min(...seconds), Math.max(...seconds)];
    return [{ ...way, seconds, median: median(seconds), least, most }];
  });
}

/**
 * Returns the median: the middle value, or the mean of the two middle ones.
 *
 * @example
 * ```ts
 * import { median } from "./measure.ts";
 * if (median([3, 1, 2]) !== 2 || median([4, 1, 2, 3]) !== 2.5) throw new Error();
 * ```
 */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Runs work. @returns its duration in seconds */
export async function timed(work: () => unknown): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}
