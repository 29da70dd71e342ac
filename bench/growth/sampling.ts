/** Samples of a growth: sizes, rounds, medians. */
import type { Plot } from "../plot.ts";
import type { StartServer } from "./server.ts";

export interface SampleOptions {
  readonly size: "quick" | "default" | "full";
  readonly rounds: number;
  readonly start: StartServer;
  readonly report: (text: string) => void;
}

/** Runs each x in several rounds. @returns the medians, for each line */
export async function sampled(
  xs: readonly number[],
  rounds: number,
  run: (x: number, round: number) => Promise<Readonly<Record<string, number>>>,
): Promise<Plot["lines"]> {
  const lines: Record<string, { x: number; y: number }[]> = {};
  for (const x of xs) {
    const samples: Record<string, number[]> = {};
    for (let round = 0; round < rounds; round++) {
      for (const [name, y] of Object.entries(await run(x, round))) (samples[name] ??= []).push(y);
    }
    for (const [name, values] of Object.entries(samples)) {
      const y = values.sort((a, b) => a - b)[values.length >> 1];
      (lines[name] ??= []).push({ x, y });
    }
  }
  return lines;
}

/** Runs work. @returns its duration in ms */
export async function clocked(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
