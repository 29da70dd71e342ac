/** What a lesson tells while it runs, and how it ends. */

/** The languages that lessons speak. */
export type Lang = "en" | "zh";

/** The same sentences in each of them. */
export type Text = Readonly<Record<Lang, string>>;

/** Everything that can happen in a lane. */
export const happenings = [
  "starts", // the lane begins
  "runs", // it does something, or goes on after a wait
  "holds", // it has `of` from here on
  "releases", // it has given `of` back
  "waits", // it goes on once it gets `of`
  "sleeps",
  "notes", // it prints something
  "ends", // the lane is over
] as const;

export type What = typeof happenings[number];

/** What an agent did, as itself sees it. */
export interface Deed {
  readonly what: What;
  /** What it holds, releases, or waits for: a name. */
  readonly of?: string;
  /** More about it, in words. */
  readonly text?: string;
}

/** Something that happened. */
export interface DemoEvent extends Deed {
  /** Which part of the lesson, from 1. */
  readonly act: number;
  /** Seconds since the act began, on the lesson's own clock. */
  readonly t: number;
  /** Who: a thread's name. */
  readonly lane: string;
}

/** A part of a lesson begins; its clock is at 0 again. */
export interface ActBegins {
  readonly act: number;
  readonly title: Text;
  /** Is it played in real time? */
  readonly live: boolean;
}

/** How a lesson ended: did it show what it is there to show? */
export interface Verdict {
  readonly ok: boolean;
  readonly said: Text;
  /** Figures that differ from run to run, by name; times in milliseconds. */
  readonly measured?: Readonly<Record<string, number>>;
}

/** Who watches. What it returns is awaited before the lesson goes on. */
export interface Audience {
  begins(act: ActBegins): Promise<void> | void;
  happens(event: DemoEvent): Promise<void> | void;
  /** A drawing of some lines, such as a wait-for graph, that belongs to the act. */
  draws(act: number, lines: readonly string[]): Promise<void> | void;
}
