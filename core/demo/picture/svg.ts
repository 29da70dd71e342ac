/** The picture of a lesson as SVG: its parts below each other, a lane for each thread. */
import type { Lang } from "../text.ts";
import type { Clock, Drawing, TranslatedEvent } from "../trace.ts";
import { columnsOf, wrapText } from "./display_width.ts";
import {
  clockCaptions,
  holdsText,
  omittedText,
  phrases,
  secondsText,
  waitsForText,
} from "./phrases.ts";
import {
  buildChart,
  type Chart,
  type Lane,
  legendOf,
  type Letters,
  omitMiddle,
  type Span,
} from "./timeline.ts";

/** The trace of one part. */
export interface RecordedPart {
  readonly title: string;
  readonly clock: Clock;
  readonly events: readonly TranslatedEvent[];
  /** Drawn as text below the picture. */
  readonly drawing: Drawing;
}

const width = 960;
const minNamesWidth = 90;
/** The width of a column of text. */
const columnWidth = 6.8;
const verdictColumns = 130;
const rightMargin = 24;
const laneHeight = 18;
const barHeight = 12;
/** The most lanes of a picture; of more, those in the middle are omitted. */
const maxLanes = 40;

/** Colors that most people with color blindness can distinguish, too (Okabe and Ito). */
const objectColors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1"];
const modeColors = { runs: "#4d4d4d", sleeps: "#d0d0d0", waits: "#9a9a9a" } as const;

/** The measures that all lanes of a part share. */
interface Layout {
  /** The start of the time axis. */
  readonly left: number;
  /** Returns the x of a time in seconds. */
  readonly scale: (t: number) => number;
  readonly colorOf: (object: string) => string;
  readonly lang: Lang;
}

/**
 * Draws a lesson.
 *
 * @param title the lesson's name and brief
 * @param summary the summary of its verdict
 * @returns the text of an SVG file
 */
export function drawSvg(
  title: string,
  parts: readonly RecordedPart[],
  summary: string,
  lang: Lang,
): string {
  const out: string[] = [];
  const letters: Letters = new Map();
  let y = 34;
  for (const part of parts) {
    const { text, bottom } = drawPart(part, y, letters, lang);
    out.push(text);
    y = bottom + 18;
  }
  const verdict = wrapText(summary, verdictColumns);
  for (const [i, line] of verdict.entries()) {
    out.push(`<text x="14" y="${y + 8 + 16 * i}" font-weight="bold">${escape(line)}</text>`);
  }
  const height = y + 10 + 16 * verdict.length;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"
  viewBox="0 0 ${width} ${height}" font-family="DejaVu Sans, Noto Sans CJK SC, sans-serif"
  font-size="11" xml:lang="${lang}">
<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse"
  patternTransform="rotate(45)"><rect width="2.2" height="5" fill="#fff" fill-opacity=".72"/></pattern></defs>
<rect width="100%" height="100%" fill="#fff"/>
<text x="14" y="22" font-size="15" font-weight="bold">${escape(title)}</text>
${out.join("\n")}
</svg>
`;
}

function drawPart(
  { title, clock, events, drawing }: RecordedPart,
  top: number,
  letters: Letters,
  lang: Lang,
) {
  const chart = buildChart(events, 0, letters);
  const names = Math.max(0, ...chart.lanes.map(({ name }) => columnsOf(name)));
  const left = Math.max(minNamesWidth, 22 + names * columnWidth);
  const layout: Layout = {
    left,
    scale: (t) => left + (chart.end === 0 ? 0 : t / chart.end * (width - left - rightMargin)),
    colorOf: colorsOf(letters),
    lang,
  };
  const out = [`<text x="14" y="${top + 14}" font-size="13">${escape(title)}</text>`];
  let y = top + 34;
  const rows = omitMiddle(chart.lanes, maxLanes);
  if (rows.length > 0) out.push(...drawAxis(chart.end, y, y + rows.length * laneHeight, layout));
  for (const row of rows) {
    if (typeof row === "number") out.push(grayText(left, y + 13, omittedText(row)[lang]));
    else out.push(...drawLane(row, y, layout));
    y += laneHeight;
  }
  const legend = drawLegend(chart, y + 18, layout);
  y = legend.bottom + 20;
  out.push(legend.text, grayText(left, y + 4, clockCaptions[clock][lang]));
  if (drawing.length > 0) y += 8;
  for (const line of drawing) {
    y += 16;
    const text = escape(line[lang]);
    out.push(
      `<text x="${left}" y="${y + 4}" font-family="monospace" xml:space="preserve">${text}</text>`,
    );
  }
  return { text: out.join("\n"), bottom: y + 6 };
}

function drawLane({ name, spans, notes }: Lane, y: number, layout: Layout): string[] {
  const { left, scale, lang } = layout;
  return [
    `<text x="${left - 8}" y="${y + 13}" text-anchor="end">${escape(name)}</text>`,
    ...spans.map((span) => drawSpan(span, y + 3, layout)),
    ...notes.map(({ t, text }) => {
      const title = `${secondsText(t.toFixed(2))[lang]}: ${text}`;
      return drawNote(scale(t), y + 9, `<title>${escape(title)}</title>`);
    }),
  ];
}

/** Draws a span as stripes: one for each object held, and one for the thread's activity. */
function drawSpan(span: Span, y: number, { scale, colorOf, lang }: Layout): string {
  const { mode, of, held } = span;
  const x = scale(span.from);
  const spanWidth = Math.max(1, scale(span.to) - x);
  const stripes = held.map((each) => ({ fill: colorOf(each), hatch: false }));
  const texts = held.map((each) => holdsText(each)[lang]);
  if (mode === "waits") {
    stripes.push({ fill: colorOf(of!), hatch: true });
    texts.push(waitsForText(of!)[lang]);
  } else if (mode === "sleeps" || held.length === 0) {
    stripes.push({ fill: modeColors[mode], hatch: false });
    texts.push(phrases[mode][lang]);
  }
  const height = barHeight / stripes.length;
  const rects = stripes.flatMap(({ fill, hatch }, i) => {
    const box = `x="${fixed(x)}" y="${fixed(y + i * height)}" width="${fixed(spanWidth)}" ` +
      `height="${fixed(height)}"`;
    return [fill, ...(hatch ? ["url(#hatch)"] : [])].map((each) => `<rect ${box} fill="${each}"/>`);
  });
  texts.push(`${span.from.toFixed(2)}–${secondsText(span.to.toFixed(2))[lang]}`);
  const title = `<title>${escape(texts.join(lang === "en" ? ", " : "，"))}</title>`;
  return `<g>${title}${rects.join("")}</g>`;
}

/** Draws the mark of a printed line. */
function drawNote(x: number, y: number, content: string): string {
  return `<circle cx="${fixed(x)}" cy="${y}" r="3" fill="#fff" stroke="#000">${content}</circle>`;
}

function drawAxis(end: number, top: number, bottom: number, { scale, lang }: Layout): string[] {
  const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]
    .find((each) => end / each <= 8) ?? end;
  const out: string[] = [];
  for (let i = 0; end > 0 && i * step <= end; i++) {
    const x = fixed(scale(i * step));
    const label = secondsText(Number((i * step).toFixed(2)))[lang];
    const style = 'font-size="9" fill="#777" text-anchor="middle"';
    out.push(
      `<line x1="${x}" y1="${top}" x2="${x}" y2="${bottom}" stroke="#e6e6e6"/>`,
      `<text x="${x}" y="${top - 3}" ${style}>${label}</text>`,
    );
  }
  return out;
}

/** Draws the legend, in as many rows as it needs. */
function drawLegend(chart: Chart, top: number, layout: Layout) {
  const { left, lang } = layout;
  let x = left;
  let y = top;
  const out: string[] = [];
  const add = (label: string, drawSign: () => string) => {
    const entryWidth = 32 + columnsOf(label) * columnWidth;
    if (x > left && x + entryWidth > width - rightMargin) {
      x = left;
      y += 16;
    }
    out.push(`${drawSign()}<text x="${fixed(x + 19)}" y="${y + 8}">${escape(label)}</text>`);
    x += entryWidth;
  };
  for (const entry of legendOf(chart)) {
    add(entry.label[lang], () => {
      return drawSpan({ ...entry, from: x, to: x + 14 }, y - 2, { ...layout, scale: (t) => t });
    });
  }
  if (chart.lanes.some(({ notes }) => notes.length > 0)) {
    add(phrases.prints[lang], () => drawNote(x + 7, y + 4, ""));
  }
  return { text: out.join("\n"), bottom: y };
}

function grayText(x: number, y: number, text: string): string {
  return `<text x="${x}" y="${y}" fill="#777">${escape(text)}</text>`;
}

/** Returns the color of an object; gray for an object without a letter, such as a joined thread. */
function colorsOf(letters: Letters): (object: string) => string {
  return (object) => {
    const index = [...letters.keys()].indexOf(object);
    return index < 0 ? modeColors.waits : objectColors[index % objectColors.length]!;
  };
}

function fixed(x: number): string {
  return String(Number(x.toFixed(1)));
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}
