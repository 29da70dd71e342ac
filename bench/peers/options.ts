/** The options of a benchmark that consists of contests. */
import { full, quick, type Scale } from "./workspace.ts";

export interface ContestOptions {
  readonly quick: boolean;
  /** The names of the parts to run. None: all. */
  readonly only: readonly string[];
  readonly rounds: number | undefined;
  /** Bytes of the large file. */
  readonly size: number | undefined;
  readonly dir: string | undefined;
  /** Called with progress. */
  readonly report: (text: string) => void;
  /** Called with each finished table. */
  readonly print: (text: string) => void;
}

/** Returns the amount of work. @param fullRounds the number of rounds unless the options name one or are quick */
export function scaleOf(
  { quick: isQuick, rounds, size }: ContestOptions,
  fullRounds = full.rounds,
): Scale {
  const usual = isQuick ? quick : { ...full, rounds: fullRounds };
  return { ...usual, rounds: rounds ?? usual.rounds, large: size ?? usual.large };
}

/** Returns the names and functions of the parts to run, in their order. */
export function chosenParts<Part>(
  parts: Readonly<Record<string, Part>>,
  { only }: ContestOptions,
): [name: string, part: Part][] {
  return Object.entries(parts).filter(([name]) => only.length === 0 || only.includes(name));
}
