/** The trace of a lesson: the events of its threads, its drawings and its verdict. */
import { type Lang, type Name, type Text, textIn } from "./text.ts";

/** The kinds of events in a lane of the picture. */
export type EventKind =
  /** The lane begins. */
  | "starts"
  /** The thread does something, or continues after a wait. */
  | "runs"
  /** The thread holds `of` from now on. */
  | "holds"
  /** The thread has given `of` back. */
  | "releases"
  /** The thread waits until it gets `of`. */
  | "waits"
  | "sleeps"
  /** The thread prints a line. */
  | "notes"
  /** The lane ends. */
  | "ends";

/** An action of a thread. */
export interface Action {
  readonly what: EventKind;
  /** The object that the thread holds, releases or waits for. */
  readonly of?: Name;
  /** Details in words. */
  readonly text?: Name;
  /** Whether the thread waits for other threads to end; `of` then lists them. */
  readonly joins?: true;
}

/** An action, with its time and its thread. */
export interface TraceEvent extends Action {
  /** The part of the lesson, from 1. */
  readonly part: number;
  /** Seconds since the part began, on the part's clock. */
  readonly t: number;
  /** The thread's name. */
  readonly lane: Name;
}

/** An event in one language. */
export interface TranslatedEvent {
  readonly part: number;
  readonly t: number;
  readonly lane: string;
  readonly what: EventKind;
  readonly of?: string;
  readonly text?: string;
  readonly joins?: true;
}

/** Translates an event into one language. */
export function translate({ lane, of, text, ...event }: TraceEvent, lang: Lang): TranslatedEvent {
  return {
    ...event,
    lane: textIn(lane, lang),
    of: of === undefined ? undefined : textIn(of, lang),
    text: text === undefined ? undefined : textIn(text, lang),
  };
}

/**
 * The meaning of a part's times: `lesson` is the lesson's own clock, on which a step takes a fixed
 * time and a sleep its nominal time; `staged` times are arranged by hand, to show an order.
 */
export type Clock = "lesson" | "staged" | "measured";

/** The beginning of a part of a lesson, whose clock starts at 0. */
export interface PartStart {
  readonly part: number;
  readonly title: Text;
  readonly realTime: boolean;
  readonly clock: Clock;
}

/** A measured figure, which differs from run to run. */
export interface Figure {
  readonly name: Text;
  readonly value: number;
}

/** The lines of a drawing or a table. */
export type Drawing = readonly Text[];

/** The outcome of a lesson. */
export interface Verdict {
  /** Whether the lesson showed what it is meant to show. */
  readonly ok: boolean;
  readonly summary: Text;
  readonly measured?: readonly Figure[];
}

/** Receives the trace of a lesson. The lesson waits for the promises that the methods return. */
export interface Reporter {
  partStarts(start: PartStart): Promise<void> | void;
  event(event: TraceEvent): Promise<void> | void;
  /** Receives the drawing, such as a wait-for graph, that belongs below the part's picture. */
  drawing(part: number, drawing: Drawing): Promise<void> | void;
}
