/** The picture of a lesson as SVG: its acts below each other, a lane a thread. */
import type { Clock, Drawing, SpokenEvent } from "../trace.ts";
import type { Lang } from "../text.ts";
import { type Chart, chart, type Lane, type Letters, shortened, type Span } from "./timeline.ts";
import { columnsOf, wrapText } from "./display_width.ts";
import { clocks, has, more, seconds, waitsFor, words } from "./phrases.ts";

/** An act, as it was played. */
export interface Played {
  readonly title: string;
  readonly clock: Clock;
  readonly events: readonly SpokenEvent[];
  /** A drawing in text below it. */
  readonly drawing: Drawing;
}

const width = 960;
/** The width of the lanes' names: the least, and that of a column of text. */
const [leastLeft, letter] = [90, 6.8];
/** The columns of the verdict that fit into a line. */
const wrapAt = 130;
const right = 24;
const laneHeight = 18;
const barHeight = 12;
/** More lanes than this are not drawn: those in the middle are left out. */
const mostLanes = 40;

/** Colors that differ, also for most who don't see red or green (Okabe and Ito). */
const hues = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1"];
const plain = { runs: "#4d4d4d", sleeps: "#d0d0d0", waits: "#9a9a9a" } as const;

/**
 * @param title the lesson's name and line
 * @param said its verdict
 * @returns the text of an SVG file
 */
export function svg(title: string, acts: readonly Played[], said: string, lang: Lang): string {
  const parts: string[] = [];
  const letters: Letters = new Map();
  let y = 34;
  for (const act of acts) {
    const drawn = picture(act, y, letters, lang);
    parts.push(drawn.text);
    y = drawn.bottom + 18;
  }
  const verdict = wrapText(said, wrapAt);
  const height = y + 10 + 16 * verdict.length;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"
  viewBox="0 0 ${width} ${height}" font-family="DejaVu Sans, Noto Sans CJK SC, sans-serif"
  font-size="11" xml:lang="${lang}">
<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse"
  patternTransform="rotate(45)"><rect width="2.2" height="5" fill="#fff" fill-opacity=".72"/></pattern></defs>
<rect width="100%" height="100%" fill="#fff"/>
<text x="14" y="22" font-size="15" font-weight="bold">${escape(title)}</text>
${parts.join("\n")}
${
    verdict.map((line, i) =>
      `<text x="14" y="${y + 8 + 16 * i}" font-weight="bold">${escape(line)}</text>`
    ).join("\n")
  }
</svg>
`;
}

function picture(
  { title, clock, events, drawing }: Played,
  top: number,
  letters: Letters,
  lang: Lang,
) {
  const read = chart(events, 0, letters);
  const color = colors(letters);
  const out = [`<text x="14" y="${top + 14}" font-size="13">${escape(title)}</text>`];
  let y = top + 34;
  const names = Math.max(0, ...read.lanes.map(({ name }) => columnsOf(name)));
  const left = Math.max(leastLeft, 22 + names * letter);
  const scale = (t: number) => left + (read.end === 0 ? 0 : t / read.end * (width - left - right));
  const { head, left: hidden, tail } = shortened(read.lanes, mostLanes);
  const shownLanes = head.length + tail.length + (hidden > 0 ? 1 : 0);
  const bottom = y + shownLanes * laneHeight;
  if (read.lanes.length > 0) out.push(...axis(read.end, scale, y, bottom, lang));
  for (const each of [...head, undefined, ...tail]) {
    if (each === undefined && hidden === 0) continue;
    if (each === undefined) {
      out.push(`<text x="${left}" y="${y + 13}" fill="#777">${escape(more(hidden)[lang])}</text>`);
    } else out.push(...row(each, left, scale, y, color, lang));
    y += laneHeight;
  }
  y = bottom + 18;
  const keys = key(read, color, left, y, lang);
  out.push(keys.text);
  y = keys.bottom + 20;
  out.push(`<text x="${left}" y="${y + 4}" fill="#777">${escape(clocks[clock][lang])}</text>`);
  if (drawing.length > 0) y += 8;
  for (const line of drawing) {
    y += 16;
    out.push(
      `<text x="${left}" y="${y + 4}" font-family="monospace" xml:space="preserve">${
        escape(line[lang])
      }</text>`,
    );
  }
  return { text: out.join("\n"), bottom: y + 6 };
}

function row(
  { name, spans, notes }: Lane,
  left: number,
  scale: (t: number) => number,
  y: number,
  color: (of: string) => string,
  lang: Lang,
): string[] {
  const out = [`<text x="${left - 8}" y="${y + 13}" text-anchor="end">${escape(name)}</text>`];
  for (const span of spans) out.push(bar(span, scale, y + 3, color, lang));
  for (const note of notes) {
    out.push(
      `<circle cx="${fixed(scale(note.t))}" cy="${y + 9}" r="3" fill="#fff" stroke="#000"><title>${
        escape(`${seconds(note.t.toFixed(2))[lang]}: ${note.text}`)
      }</title></circle>`,
    );
  }
  return out;
}

/** Draws a span: the things held, and below them, if there is both, the thread's activity. */
function bar(
  span: Span,
  scale: (t: number) => number,
  y: number,
  color: (of: string) => string,
  lang: Lang,
): string {
  const { mode, of } = span;
  const x = scale(span.from);
  const wide = Math.max(1, scale(span.to) - x);
  const stripes = span.has.map((each) => ({ fill: color(each), hatch: false }));
  if (mode === "sleeps") stripes.push({ fill: plain.sleeps, hatch: false });
  if (mode === "waits") stripes.push({ fill: color(of!), hatch: true });
  if (stripes.length === 0) stripes.push({ fill: plain.runs, hatch: false });
  const high = barHeight / stripes.length;
  const rects = stripes.flatMap(({ fill, hatch }, i) => {
    const rect = (fill: string) =>
      `<rect x="${fixed(x)}" y="${fixed(y + i * high)}" width="${fixed(wide)}" height="${
        fixed(high)
      }" fill="${fill}"/>`;
    return hatch ? [rect(fill), rect("url(#hatch)")] : [rect(fill)];
  });
  const what = [
    ...span.has.map((each) => has(each)[lang]),
    ...(mode === "waits" ? [waitsFor(of!)[lang]] : []),
    ...(mode === "sleeps" ? [words.sleeps[lang]] : []),
  ];
  if (what.length === 0) what.push(words.runs[lang]);
  const times = `${span.from.toFixed(2)}–${seconds(span.to.toFixed(2))[lang]}`;
  const title = `<title>${escape([...what, times].join(lang === "en" ? ", " : "，"))}</title>`;
  return `<g>${title}${rects.join("")}</g>`;
}

function axis(
  end: number,
  scale: (t: number) => number,
  top: number,
  bottom: number,
  lang: Lang,
): string[] {
  const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]
    .find((each) => end / each <= 8) ?? end;
  const out: string[] = [];
  for (let i = 0; end > 0 && i * step <= end; i++) {
    const x = fixed(scale(i * step));
    out.push(
      `<line x1="${x}" y1="${top}" x2="${x}" y2="${bottom}" stroke="#e6e6e6"/>`,
      `<text x="${x}" y="${top - 3}" font-size="9" fill="#777" text-anchor="middle">${
        seconds(Number((i * step).toFixed(2)))[lang]
      }</text>`,
    );
  }
  return out;
}

/** Draws the legend, in as many rows as it needs. */
function key(
  { lanes, things }: Chart,
  color: (of: string) => string,
  left: number,
  top: number,
  lang: Lang,
) {
  const spans = lanes.flatMap(({ spans }) => spans);
  const span = (mode: Span["mode"], of?: string, held: readonly string[] = []): Span => ({
    ...{ from: 0, to: 0, mode, of, has: held },
  });
  const entries: [string, Span][] = [];
  if (spans.some(({ mode, has }) => mode === "runs" && has.length === 0)) {
    entries.push([words.runs[lang], span("runs")]);
  }
  if (spans.some(({ mode }) => mode === "sleeps")) {
    entries.push([words.sleeps[lang], span("sleeps")]);
  }
  const joined = spans.find(({ mode, of }) => mode === "waits" && !things.has(of!));
  if (joined) entries.push([words.waitsForThreads[lang], span("waits", joined.of)]);
  for (const of of things.keys()) {
    if (spans.some((each) => each.has.includes(of))) {
      entries.push([has(of)[lang], span("runs", undefined, [of])]);
    }
    if (spans.some(({ mode, of: wanted }) => mode === "waits" && wanted === of)) {
      entries.push([waitsFor(of)[lang], span("waits", of)]);
    }
  }
  const printed = lanes.some(({ notes }) => notes.length > 0);
  let [x, y] = [left, top];
  const place = (label: string, sign: (x: number, y: number) => string): string => {
    const wide = 32 + columnsOf(label) * letter;
    if (x > left && x + wide > width - right) [x, y] = [left, y + 16];
    const text = sign(x, y) + `<text x="${fixed(x + 19)}" y="${y + 8}">${escape(label)}</text>`;
    x += wide;
    return text;
  };
  const out = entries.map(([label, each]) =>
    place(label, (x, y) => bar({ ...each, from: x, to: x + 14 }, (t) => t, y - 2, color, lang))
  );
  if (printed) {
    out.push(
      place(
        words.printed[lang],
        (x, y) => `<circle cx="${fixed(x + 7)}" cy="${y + 4}" r="3" fill="#fff" stroke="#000"/>`,
      ),
    );
  }
  return { text: out.join("\n"), bottom: y };
}

/** Returns a color for each thing with a letter; joins have none. */
function colors(letters: Letters): (of: string) => string {
  return (of) => {
    const at = [...letters.keys()].indexOf(of);
    return at < 0 ? plain.waits : hues[at % hues.length]!;
  };
}

function fixed(x: number): string {
  return String(Number(x.toFixed(1)));
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}
