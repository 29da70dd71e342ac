/**
 * The picture of an act: a lane a thread, time from left to right, in characters.
 *
 *     main  ━━━━━━┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄━
 *     t1       AAAAAAAAA~~~~bbbbbbbbb
 *     t2        BBBBBBBB~~~~~aaaaaaaa
 *
 * A capital letter is held, its small letter is waited for. A {@link Chart} is what texts and SVGs
 * have in common: spans of time in which a lane is in one state.
 */
import type { DemoEvent } from "./events.ts";

export type Mode = "runs" | "sleeps" | "holds" | "waits";

/** A lane is in one state from `from` to `to`, in seconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly mode: Mode;
  /** What it holds (the newest), or waits for. */
  readonly of?: string;
}

export interface Lane {
  readonly name: string;
  readonly spans: readonly Span[];
  /** When it printed something, and what. */
  readonly notes: readonly { readonly t: number; readonly text: string }[];
}

export interface Chart {
  readonly lanes: readonly Lane[];
  /** Seconds. */
  readonly end: number;
  /** What is held or waited for, with a letter of its own. */
  readonly things: ReadonlyMap<string, string>;
}

interface Open {
  name: string;
  spans: Span[];
  notes: { t: number; text: string }[];
  has: string[];
  now: { mode: Mode; of?: string; since: number } | undefined;
}

/**
 * Reads the events of one act.
 *
 * @param now seconds; how late it is, if it is later than the last event
 *
 * @example
 * ```ts
 * import { chart, draw } from "./timeline.ts";
 * const event = (t: number, what: "starts" | "waits" | "holds" | "ends", of?: string) =>
 *   ({ act: 1, t, lane: "t1", what, of });
 * const events = [event(0, "starts"), event(1, "waits", "A"), event(3, "holds", "A"), event(4, "ends")];
 * const [lane] = draw(chart(events), 8);
 * if (lane !== "t1  ──aaaaAA") throw new Error(lane);
 * ```
 */
export function chart(events: readonly DemoEvent[], now = 0): Chart {
  const lanes = new Map<string, Open>();
  const things = new Map<string, string>();
  let end = now;
  for (const event of events) {
    end = Math.max(end, event.t);
    const lane = lanes.get(event.lane) ??
      { name: event.lane, spans: [], notes: [], has: [], now: undefined };
    lanes.set(event.lane, lane);
    if (event.what === "notes") lane.notes.push({ t: event.t, text: event.text ?? "" });
    else step(lane, event);
    if (event.of !== undefined && !event.of.startsWith("the end of ")) letter(things, event.of);
  }
  for (const lane of lanes.values()) close(lane, end);
  return { lanes: [...lanes.values()], end, things };
}

function step(lane: Open, { what, of, t }: DemoEvent): void {
  if (what === "holds") lane.has.push(of!);
  if (what === "releases") lane.has.splice(lane.has.lastIndexOf(of!), 1);
  const has = lane.has.at(-1);
  const idle: { mode: Mode; of?: string } = has === undefined
    ? { mode: "runs" }
    : { mode: "holds", of: has };
  const next = what === "ends"
    ? undefined
    : what === "waits"
    ? { mode: "waits" as const, of }
    : what === "sleeps" && has === undefined
    ? { mode: "sleeps" as const }
    : idle;
  const { now } = lane;
  if (now && next && now.mode === next.mode && now.of === next.of) return;
  close(lane, t);
  lane.now = next && { ...next, since: t };
}

function close(lane: Open, t: number): void {
  const { now } = lane;
  if (now && t > now.since) lane.spans.push({ from: now.since, to: t, mode: now.mode, of: now.of });
  lane.now = undefined;
}

/** Gives a thing a letter: one of its own name that is free, else any. */
function letter(things: Map<string, string>, of: string): void {
  if (things.has(of)) return;
  const taken = new Set(things.values());
  const letters = [...of.toUpperCase().replace(/[^A-Z]/g, ""), ..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  things.set(of, letters.find((each) => !taken.has(each)) ?? "?");
}

/** The character of a moment in a lane. */
export function glyph({ mode, of }: Span, things: Chart["things"]): string {
  if (mode === "runs") return "─";
  if (mode === "sleeps") return "~";
  const letter = things.get(of ?? "");
  if (letter === undefined) return "·";
  return mode === "holds" ? letter : letter.toLowerCase();
}

/** Turns a character into what shows it, for instance in color. */
export type Paint = (glyphs: string, span: Span | undefined) => string;

/**
 * Draws lanes as lines of text.
 *
 * @param columns how many characters the time takes
 * @param rows how many lanes are drawn at most; of more, those in the middle are left out
 */
export function draw(
  { lanes, end, things }: Chart,
  columns: number,
  { rows = Infinity, paint = (glyphs) => glyphs }: { rows?: number; paint?: Paint } = {},
): string[] {
  const width = Math.max(0, ...lanes.map(({ name }) => name.length));
  const lines = lanes.map(({ name, spans }) =>
    `${name.padEnd(width)}  ${row(spans, end, columns, things, paint)}`.trimEnd()
  );
  if (lines.length <= rows) return lines;
  const head = Math.ceil((rows - 1) * 2 / 3);
  const tail = rows - 1 - head;
  const left = lines.length - head - tail;
  return [
    ...lines.slice(0, head),
    `${" ".repeat(width)}  (${left} more)`,
    ...lines.slice(lines.length - tail),
  ];
}

function row(
  spans: readonly Span[],
  end: number,
  columns: number,
  things: Chart["things"],
  paint: Paint,
): string {
  const at = (t: number) => end === 0 ? 0 : Math.min(columns, Math.floor(t / end * columns));
  let text = "";
  let column = 0;
  for (const span of spans) {
    const from = Math.max(column, at(span.from));
    // The shortest moment takes a column, where there is one.
    const to = Math.min(columns, Math.max(at(span.to), from + 1));
    if (to <= from) continue;
    text += paint(" ".repeat(from - column), undefined);
    text += paint(glyph(span, things).repeat(to - from), span);
    column = to;
  }
  return text;
}

/** What the characters mean, of those that are there. */
export function legend({ lanes, things }: Chart): string {
  const seen = (mode: Mode, of?: string) =>
    lanes.some(({ spans }) => spans.some((span) => span.mode === mode && span.of === of));
  const parts: string[] = [];
  if (seen("runs")) parts.push("─ runs");
  if (seen("sleeps")) parts.push("~ sleeps");
  if (lanes.some(({ spans }) => spans.some(({ of }) => of !== undefined && !things.has(of)))) {
    parts.push("· waits for threads");
  }
  for (const [of, letter] of things) {
    const small = letter.toLowerCase();
    const [held, wanted] = [seen("holds", of), seen("waits", of)];
    const has = held ? [`${letter} has ${of}`] : [];
    const waits = wanted ? [`${small} waits for ${held ? "it" : of}`] : [];
    if (held || wanted) parts.push([...has, ...waits].join(", "));
  }
  return parts.join("   ");
}
