/** How growth is measured: how far, how often, and the middle of it. */
import type { Plot } from "../plot.ts";

/** How far to go. */
export interface Reach {
  readonly size: "quick" | "usual" | "full";
  readonly rounds: number;
  readonly dir: string | undefined;
  readonly tell: (text: string) => void;
}

/** Each of some sizes, some times over; the median of what each came to, for each line. */
export async function sampled(
  xs: readonly number[],
  rounds: number,
  run: (x: number, round: number) => Promise<Readonly<Record<string, number>>>,
): Promise<Plot["lines"]> {
  const lines: Record<string, { x: number; y: number }[]> = {};
  for (const x of xs) {
    const seen: Record<string, number[]> = {};
    for (let round = 0; round < rounds; round++) {
      for (const [name, y] of Object.entries(await run(x, round))) (seen[name] ??= []).push(y);
    }
    for (const [name, values] of Object.entries(seen)) {
      const y = values.sort((a, b) => a - b)[values.length >> 1];
      (lines[name] ??= []).push({ x, y });
    }
  }
  return lines;
}

/** @returns ms */
export async function clocked(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
