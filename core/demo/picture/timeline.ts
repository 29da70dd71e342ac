/**
 * The picture of a part in characters: a lane for each thread, time from left to right.
 *
 *     main  ━━━━━━┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄━
 *     t1       AAAAAA~A~A~AbAbAbAbAbA
 *     t2        BBBBBB~B~B~BaBaBaBaBa
 *
 * A thread holds the object of a capital letter, waits for the object of a small letter, and sleeps at `~`.
 * A thread that does two of these at once shows the signs in turn.
 */
import type { Lang, Text } from "../text.ts";
import type { TranslatedEvent } from "../trace.ts";
import { columnsOf, padColumns } from "./display_width.ts";
import { holdsText, omittedText, phrases, waitsForText } from "./phrases.ts";

/** A period in which a lane has one state, in seconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly mode: "runs" | "sleeps" | "waits";
  /** The object that the thread waits for. */
  readonly of?: string;
  /** The objects that the thread holds, each once. */
  readonly held: readonly string[];
}

export interface Lane {
  readonly name: string;
  readonly spans: readonly Span[];
  /** The printed lines and their times. */
  readonly notes: readonly { readonly t: number; readonly text: string }[];
}

/** The lanes of a part; the basis of pictures in characters and in SVG. */
export interface Chart {
  readonly lanes: readonly Lane[];
  /** Seconds. */
  readonly end: number;
  /** The letters of the objects that are held or waited for. */
  readonly letters: ReadonlyMap<string, string>;
}

/** The letters of objects, the same in all parts of a lesson. */
export type Letters = Map<string, string>;

/** A lane whose last span is not finished. */
interface OpenLane {
  readonly name: string;
  readonly spans: Span[];
  readonly notes: { t: number; text: string }[];
  readonly held: string[];
  current: Omit<Span, "to"> | undefined;
}

/**
 * Builds the chart of one part from its events.
 *
 * @param now the current time in seconds, if it is later than the last event
 * @param letters the letters of earlier parts, to which new ones are added
 */
export function buildChart(
  events: readonly TranslatedEvent[],
  now = 0,
  letters: Letters = new Map(),
): Chart {
  const lanes = new Map<string, OpenLane>();
  const used = new Map<string, string>();
  let end = now;
  for (const event of events) {
    const { lane: name, what, of, t, text = "" } = event;
    end = Math.max(end, t);
    const lane = lanes.get(name) ?? { name, spans: [], notes: [], held: [], current: undefined };
    lanes.set(name, lane);
    if (what === "notes") lane.notes.push({ t, text });
    else applyEvent(lane, event);
    if (of !== undefined && !event.joins) used.set(of, letterFor(of, letters));
  }
  for (const lane of lanes.values()) closeSpan(lane, end);
  return { lanes: [...lanes.values()], end, letters: used };
}

function applyEvent(lane: OpenLane, { what, of, t }: TranslatedEvent): void {
  if (what === "holds") lane.held.push(of!);
  if (what === "releases") lane.held.splice(lane.held.lastIndexOf(of!), 1);
  const held = [...new Set(lane.held)];
  const mode = what === "waits" || what === "sleeps" ? what : "runs";
  const next = { from: t, mode, of: mode === "waits" ? of : undefined, held } as const;
  const { current } = lane;
  const isSame = what !== "ends" && current?.mode === mode && current.of === next.of &&
    current.held.join("\0") === held.join("\0");
  if (isSame) return;
  closeSpan(lane, t);
  if (what !== "ends") lane.current = next;
}

function closeSpan(lane: OpenLane, to: number): void {
  const { current } = lane;
  lane.current = undefined;
  if (current !== undefined && to > current.from) lane.spans.push({ ...current, to });
}

/** Returns the letter of an object: a free one of its name if possible, else any free one. */
function letterFor(object: string, letters: Letters): string {
  const existing = letters.get(object);
  if (existing !== undefined) return existing;
  const taken = new Set(letters.values());
  // The second word of a name is more specific: notEmpty is E, notFull F.
  const second = /^[a-z]+([A-Z])/.exec(object)?.[1] ?? "";
  const noun = object.replace(/^(?:the|an?) /, "");
  const own = second + noun.toUpperCase().replace(/[^A-Z]/g, "");
  const free = [...own, ..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].find((each) => !taken.has(each)) ?? "?";
  letters.set(object, free);
  return free;
}

/** Decorates characters, for instance with color. */
export type Paint = (characters: string, span: Span | undefined) => string;

/**
 * Draws the lanes as lines of text.
 *
 * @param columns the width of the time axis in characters
 * @param rows the most lines; of more lanes, those in the middle are omitted
 */
export function drawChart(
  { lanes, end, letters }: Chart,
  columns: number,
  { rows = Infinity, paint = (characters) => characters, lang = "en" }: {
    rows?: number;
    paint?: Paint;
    lang?: Lang;
  } = {},
): string[] {
  const width = Math.max(0, ...lanes.map(({ name }) => columnsOf(name)));
  const drawLane = ({ name, spans }: Lane) =>
    `${padColumns(name, width)}  ${drawSpans(spans, end, columns, letters, paint)}`.trimEnd();
  return omitMiddle(lanes, rows).map((row) =>
    typeof row === "number" ? `${" ".repeat(width)}  ${omittedText(row)[lang]}` : drawLane(row)
  );
}

/** Returns the lanes; of more than `rows`, those in the middle are replaced by their number. */
export function omitMiddle(lanes: readonly Lane[], rows: number): readonly (Lane | number)[] {
  if (lanes.length <= rows) return lanes;
  const first = Math.ceil((rows - 1) * 2 / 3);
  const omitted = lanes.length - (rows - 1);
  return [...lanes.slice(0, first), omitted, ...lanes.slice(first + omitted)];
}

function drawSpans(
  spans: readonly Span[],
  end: number,
  columns: number,
  letters: Chart["letters"],
  paint: Paint,
): string {
  const columnAt = (t: number) => end === 0 ? 0 : Math.min(columns, Math.floor(t / end * columns));
  let text = "";
  let column = 0;
  for (const span of spans) {
    const from = Math.max(column, columnAt(span.from));
    // The shortest span takes a column, if one is left.
    const to = Math.min(columns, Math.max(columnAt(span.to), from + 1));
    if (to <= from) continue;
    text += paint(" ".repeat(from - column), undefined);
    const signs = spanSigns(span, letters);
    text += paint(signs.repeat(Math.ceil((to - from) / signs.length)).slice(0, to - from), span);
    column = to;
  }
  return text;
}

/** Returns the characters of a span, which are repeated over its width. */
function spanSigns(
  { mode, of, held }: Omit<Span, "from" | "to">,
  letters: Chart["letters"],
): string {
  const capitals = held.map((each) => letters.get(each) ?? "?").join("");
  if (mode === "runs") return capitals || "─";
  if (mode === "sleeps") return `${capitals}~`;
  return capitals + (letters.get(of ?? "")?.toLowerCase() ?? "·");
}

/** An entry of a legend: a kind of span, and its meaning. */
export interface LegendEntry extends Omit<Span, "from" | "to"> {
  readonly label: Text;
}

/** Returns the kinds of spans in a chart. */
export function legendOf({ lanes, letters }: Chart): LegendEntry[] {
  const spans = lanes.flatMap(({ spans }) => spans);
  const entries: LegendEntry[] = [];
  const add = (label: Text, mode: Span["mode"], of?: string, held: readonly string[] = []) =>
    entries.push({ label, mode, of, held });
  if (spans.some(({ mode, held }) => mode === "runs" && held.length === 0)) {
    add(phrases.runs, "runs");
  }
  if (spans.some(({ mode }) => mode === "sleeps")) add(phrases.sleeps, "sleeps");
  const join = spans.find(({ mode, of }) => mode === "waits" && !letters.has(of!));
  if (join) add(phrases.waitsForThreads, "waits", join.of);
  for (const object of letters.keys()) {
    const isHeld = spans.some(({ held }) => held.includes(object));
    const isAwaited = spans.some(({ mode, of }) => mode === "waits" && of === object);
    if (isHeld) add(holdsText(object), "runs", undefined, [object]);
    if (isAwaited) add(waitsForText(object), "waits", object);
  }
  return entries;
}

/** Returns the meaning of each character in the chart. */
export function legendEntries(chart: Chart, lang: Lang): string[] {
  const signs = (span: Omit<Span, "from" | "to">) => spanSigns(span, chart.letters);
  const entries = legendOf(chart).map((entry) => `${signs(entry)} ${entry.label[lang]}`);
  const several = chart.lanes.flatMap(({ spans }) => spans).map(signs)
    .find(({ length }) => length > 1);
  return several === undefined ? entries : [...entries, `${several} ${phrases.both[lang]}`];
}
