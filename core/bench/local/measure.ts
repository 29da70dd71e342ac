/**
 * Ways to do the same on this machine, measured side by side: each once, then each again, so that what
 * disturbs the machine for a while disturbs all of them.
 */

/** One way. */
export interface Way {
  readonly name: string;
  /** What it is here: a worker, a subprocess, a task. */
  readonly is: string;
  /** The figure of the course that is quoted (docs/demo.md), in seconds, and of what. */
  readonly author?: { readonly what: string; readonly seconds: number };
  /** Does it once. @returns seconds */
  run(signal: AbortSignal): Promise<number>;
}

/** What is measured. */
export interface Subject {
  readonly name: string;
  /** What is done, with numbers. */
  readonly title: string;
  /** The difference from the program that the course measured; undefined: none. */
  readonly scale?: string;
  readonly ways: readonly Way[];
}

/** A way, and how long it took each time. */
export interface Row extends Omit<Way, "run"> {
  readonly seconds: readonly number[];
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/**
 * Measures all ways, `repetitions` times, in turn.
 *
 * @param onRun is told before each run
 * @returns what there is when the signal is aborted: ways without any run are left out
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
 * The middle one, or the mean of the two in the middle.
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

/** Seconds that it takes. */
export async function timed(work: () => unknown): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}
