/**
 * The picture of an act: a lane a thread, time from left to right, in characters.
 *
 *     main  ━━━━━━┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄━
 *     t1       AAAAAA~A~A~AbAbAbAbAbA
 *     t2        BBBBBB~B~B~BaBaBaBaBa
 *
 * A capital letter is held, its small letter is waited for, `~` sleeps. A thread that does two of
 * these at once shows the letters in turn. A {@link Chart} is what texts and SVGs have in common:
 * spans of time in which a lane is in one state.
 */
import type { SpokenEvent } from "../trace.ts";
import type { Lang } from "../text.ts";
import { columnsOf, padColumns } from "./display_width.ts";
import { has, more, waitsFor, words } from "./phrases.ts";

export type Mode = "runs" | "sleeps" | "waits";

/** A lane is in one state from `from` to `to`, in seconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly mode: Mode;
  /** The thing that it waits for. */
  readonly of?: string;
  /** The things that it holds, each once. */
  readonly has: readonly string[];
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
  /** The things that are held or waited for, each with its letter. */
  readonly things: ReadonlyMap<string, string>;
}

/** The letters of things, which stay the same in all acts of a lesson. */
export type Letters = Map<string, string>;

interface Open {
  name: string;
  spans: Span[];
  notes: { t: number; text: string }[];
  has: string[];
  now: Omit<Span, "from" | "to"> & { since: number } | undefined;
}

/**
 * Reads the events of one act.
 *
 * @param now seconds; how late it is, if it is later than the last event
 * @param letters those of earlier acts, to which new ones are added
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
export function chart(
  events: readonly SpokenEvent[],
  now = 0,
  letters: Letters = new Map(),
): Chart {
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
    if (event.of !== undefined && !event.joins) things.set(event.of, letter(letters, event.of));
  }
  for (const lane of lanes.values()) close(lane, end);
  return { lanes: [...lanes.values()], end, things };
}

function step(lane: Open, { what, of, t }: SpokenEvent): void {
  if (what === "holds") lane.has.push(of!);
  if (what === "releases") lane.has.splice(lane.has.lastIndexOf(of!), 1);
  const held = [...new Set(lane.has)];
  const mode = what === "waits" || what === "sleeps" ? what : "runs";
  const next = what === "ends"
    ? undefined
    : { mode, of: mode === "waits" ? of : undefined, has: held } as const;
  const { now } = lane;
  const same = now && next && now.mode === next.mode && now.of === next.of &&
    now.has.join("\0") === next.has.join("\0");
  if (same) return;
  close(lane, t);
  lane.now = next && { ...next, since: t };
}

function close(lane: Open, to: number): void {
  const { now } = lane;
  lane.now = undefined;
  if (now === undefined || to <= now.since) return;
  const { since: from, mode, of, has } = now;
  lane.spans.push({ from, to, mode, of, has });
}

/** Returns the letter of a thing: a free one of its name, else any free one. */
function letter(letters: Letters, of: string): string {
  const known = letters.get(of);
  if (known !== undefined) return known;
  const taken = new Set(letters.values());
  // The second word of a name says more: notEmpty is E, notFull F.
  const second = /^[a-z]+([A-Z])/.exec(of)?.[1] ?? "";
  // An article says nothing: "the server" is S.
  const noun = of.replace(/^(?:the|an?) /, "");
  const own = second + noun.toUpperCase().replace(/[^A-Z]/g, "");
  const free = [...own, ..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].find((each) => !taken.has(each)) ?? "?";
  letters.set(of, free);
  return free;
}

/** Returns the characters of a lane in one state, which are repeated while it lasts. */
export function glyphs({ mode, of, has }: Span, things: Chart["things"]): string {
  const held = has.map((each) => things.get(each) ?? "?").join("");
  if (mode === "runs") return held || "─";
  if (mode === "sleeps") return `${held}~`;
  return held + (things.get(of ?? "")?.toLowerCase() ?? "·");
}

/** Decorates characters, for instance with color. */
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
  { rows = Infinity, paint = (glyphs) => glyphs, lang = "en" }: {
    rows?: number;
    paint?: Paint;
    lang?: Lang;
  } = {},
): string[] {
  const width = Math.max(0, ...lanes.map(({ name }) => columnsOf(name)));
  const line = ({ name, spans }: Lane) =>
    `${padColumns(name, width)}  ${row(spans, end, columns, things, paint)}`.trimEnd();
  const { head, left, tail } = shortened(lanes, rows);
  const gap = left > 0 ? [`${" ".repeat(width)}  ${more(left)[lang]}`] : [];
  return [...head.map(line), ...gap, ...tail.map(line)];
}

/** Returns the first and the last lanes, if there are more than `rows`. */
export function shortened(lanes: readonly Lane[], rows: number) {
  if (lanes.length <= rows) return { head: lanes, left: 0, tail: [] };
  const first = Math.ceil((rows - 1) * 2 / 3);
  const last = rows - 1 - first;
  const left = lanes.length - first - last;
  return { head: lanes.slice(0, first), left, tail: lanes.slice(lanes.length - last) };
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
    const pattern = glyphs(span, things);
    text += paint(
      pattern.repeat(Math.ceil((to - from) / pattern.length)).slice(0, to - from),
      span,
    );
    column = to;
  }
  return text;
}

/** Returns an entry for each character in the chart, with its meaning. */
export function legend({ lanes, things }: Chart, lang: Lang): string[] {
  const spans = lanes.flatMap(({ spans }) => spans);
  const entries: string[] = [];
  if (spans.some(({ mode, has }) => mode === "runs" && has.length === 0)) {
    entries.push(`─ ${words.runs[lang]}`);
  }
  if (spans.some(({ mode }) => mode === "sleeps")) entries.push(`~ ${words.sleeps[lang]}`);
  if (spans.some(({ mode, of }) => mode === "waits" && !things.has(of!))) {
    entries.push(`· ${words.waitsForThreads[lang]}`);
  }
  for (const [of, letter] of things) {
    if (spans.some(({ has }) => has.includes(of))) entries.push(`${letter} ${has(of)[lang]}`);
    const waits = spans.some((span) => span.mode === "waits" && span.of === of);
    if (waits) entries.push(`${letter.toLowerCase()} ${waitsFor(of)[lang]}`);
  }
  const two = spans.map((span) => glyphs(span, things)).find(({ length }) => length > 1);
  if (two !== undefined) entries.push(`${two} ${words.both[lang]}`);
  return entries;
}
