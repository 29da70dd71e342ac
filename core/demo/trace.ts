/** The events that a lesson reports while it runs, and its outcome. */
import { type Lang, type Name, say, type Text } from "./text.ts";

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
  /** The thing that it holds, releases, or waits for. */
  readonly of?: Name;
  /** More about it, in words. */
  readonly text?: Name;
  /** It waits for threads to end, and `of` lists them. */
  readonly joins?: true;
}

/** Something that happened. */
export interface DemoEvent extends Deed {
  /** Which part of the lesson, from 1. */
  readonly act: number;
  /** Seconds since the act began, on the lesson's own clock. */
  readonly t: number;
  /** Who: a thread's name. */
  readonly lane: Name;
}

/** An event in one language. */
export interface SpokenEvent {
  readonly act: number;
  readonly t: number;
  readonly lane: string;
  readonly what: What;
  readonly of?: string;
  readonly text?: string;
  readonly joins?: true;
}

/** Puts an event into one language. */
export function spoken({ lane, of, text, ...event }: DemoEvent, lang: Lang): SpokenEvent {
  return {
    ...event,
    lane: say(lane, lang),
    of: of === undefined ? undefined : say(of, lang),
    text: text === undefined ? undefined : say(text, lang),
  };
}

/**
 * The meaning of an act's times: those of the lesson's own clock, on which steps take a fixed time
 * and sleeps their nominal time; arranged by hand, to show an order; or measured.
 */
export type Clock = "lesson" | "staged" | "measured";

/** A part of a lesson begins; its clock is at 0 again. */
export interface ActBegins {
  readonly act: number;
  readonly title: Text;
  /** Is it played in real time? */
  readonly live: boolean;
  readonly clock: Clock;
}

/** A measured figure, which differs from run to run. */
export interface Figure {
  readonly name: Text;
  readonly value: number;
}

/** Lines of a drawing or a table, in each language. */
export type Drawing = readonly Text[];

/** How a lesson ended: did it show what it is there to show? */
export interface Verdict {
  readonly ok: boolean;
  readonly said: Text;
  readonly measured?: readonly Figure[];
}

/** Who watches. What it returns is awaited before the lesson goes on. */
export interface Audience {
  begins(act: ActBegins): Promise<void> | void;
  happens(event: DemoEvent): Promise<void> | void;
  /** A drawing of some lines, such as a wait-for graph, that belongs to the act. */
  draws(act: number, drawing: Drawing): Promise<void> | void;
}
