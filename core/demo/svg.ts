/** The picture of a lesson as SVG: its acts below each other, a lane a thread. */
import { type Chart, chart, type Mode, type Span } from "./timeline.ts";
import type { DemoEvent } from "./events.ts";

/** An act, as it was played. */
export interface Played {
  readonly title: string;
  readonly events: readonly DemoEvent[];
  /** A drawing in text below it. */
  readonly drawing: readonly string[];
}

const width = 960;
/** Room for the lanes' names: at least that, and so much a letter. */
const [leastLeft, letter] = [90, 6.8];
/** So many letters of the verdict fit into a line. */
const wrapAt = 130;
const right = 24;
const laneHeight = 18;
const barHeight = 12;

/** Colors that differ, also for most who don't see red or green (Okabe and Ito). */
const hues = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1"];
const plain: Readonly<Record<Mode, string>> = {
  runs: "#4d4d4d",
  sleeps: "#d0d0d0",
  holds: "#000000",
  waits: "#9a9a9a",
};

/**
 * @param title the lesson's name and line
 * @param said its verdict
 * @returns the text of an SVG file
 */
export function svg(title: string, acts: readonly Played[], said: string): string {
  const parts: string[] = [];
  let y = 34;
  for (const act of acts) {
    const drawn = picture(act, y);
    parts.push(drawn.text);
    y = drawn.bottom + 18;
  }
  const verdict = wrapped(said);
  const height = y + 10 + 16 * verdict.length;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"
  viewBox="0 0 ${width} ${height}" font-family="DejaVu Sans, Noto Sans CJK SC, sans-serif"
  font-size="11">
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

function picture({ title, events, drawing }: Played, top: number) {
  const read = chart(events);
  const color = colors(read);
  const out = [`<text x="14" y="${top + 14}" font-size="13">${escape(title)}</text>`];
  let y = top + 34;
  const names = Math.max(...read.lanes.map(({ name }) => name.length));
  const left = Math.max(leastLeft, 22 + names * letter);
  const scale = (t: number) => left + (read.end === 0 ? 0 : t / read.end * (width - left - right));
  const bottom = y + read.lanes.length * laneHeight;
  out.push(...axis(read.end, scale, y, bottom));
  for (const { name, spans, notes } of read.lanes) {
    out.push(`<text x="${left - 8}" y="${y + 13}" text-anchor="end">${escape(name)}</text>`);
    for (const span of spans) out.push(bar(span, scale, y + 3, color(span)));
    for (const note of notes) {
      out.push(
        `<circle cx="${fixed(scale(note.t))}" cy="${
          y + 9
        }" r="3" fill="#fff" stroke="#000"><title>${
          escape(`${note.t.toFixed(2)} s: ${note.text}`)
        }</title></circle>`,
      );
    }
    y += laneHeight;
  }
  y = bottom + 18;
  out.push(key(read, color, left, y));
  if (drawing.length > 0) y += 8;
  for (const line of drawing) {
    y += 16;
    out.push(
      `<text x="${left}" y="${y + 4}" font-family="monospace" xml:space="preserve">${
        escape(line)
      }</text>`,
    );
  }
  return { text: out.join("\n"), bottom: y + 6 };
}

function bar(span: Span, scale: (t: number) => number, y: number, color: string): string {
  const x = scale(span.from);
  const wide = Math.max(1, scale(span.to) - x);
  const rect = (fill: string, more = "") =>
    `<rect x="${fixed(x)}" y="${y}" width="${
      fixed(wide)
    }" height="${barHeight}" fill="${fill}"${more}/>`;
  const what = `${span.mode}${span.of === undefined ? "" : ` ${span.of}`}`;
  const title = `<title>${
    escape(`${what}, ${span.from.toFixed(2)} to ${span.to.toFixed(2)} s`)
  }</title>`;
  const hatch = span.mode === "waits" ? rect("url(#hatch)") : "";
  return `<g>${title}${rect(color)}${hatch}</g>`;
}

function axis(
  end: number,
  scale: (t: number) => number,
  top: number,
  bottom: number,
): string[] {
  const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]
    .find((each) => end / each <= 8) ?? end;
  const out: string[] = [];
  for (let i = 0; end > 0 && i * step <= end; i++) {
    const x = fixed(scale(i * step));
    out.push(
      `<line x1="${x}" y1="${top}" x2="${x}" y2="${bottom}" stroke="#e6e6e6"/>`,
      `<text x="${x}" y="${top - 3}" font-size="9" fill="#777" text-anchor="middle">${
        Number((i * step).toFixed(2))
      } s</text>`,
    );
  }
  return out;
}

function key(
  { lanes, things }: Chart,
  color: (span: Span) => string,
  left: number,
  y: number,
): string {
  const modes = new Set(lanes.flatMap(({ spans }) => spans.map(({ mode }) => mode)));
  const entries: [string, Span][] = [];
  const span = (mode: Mode, of?: string): Span => ({ from: 0, to: 0, mode, of });
  if (modes.has("runs")) entries.push(["runs", span("runs")]);
  if (modes.has("sleeps")) entries.push(["sleeps", span("sleeps")]);
  const seen = (mode: Mode, of: string) =>
    lanes.some(({ spans }) => spans.some((each) => each.mode === mode && each.of === of));
  for (const of of things.keys()) {
    if (seen("holds", of)) entries.push([`has ${of}`, span("holds", of)]);
    if (seen("waits", of)) entries.push([`waits for ${of}`, span("waits", of)]);
  }
  let x = left;
  return entries.map(([label, each]) => {
    const text = bar({ ...each, from: x, to: x + 14 }, (t) => t, y - 2, color(each)) +
      `<text x="${x + 19}" y="${y + 8}">${escape(label)}</text>`;
    x += 32 + label.length * letter;
    return text;
  }).join("\n");
}

function colors({ things }: Chart): (span: Span) => string {
  const order = [...things.keys()];
  return ({ mode, of }) => {
    const at = order.indexOf(of ?? "");
    return at < 0 ? plain[mode] : hues[at % hues.length]!;
  };
}

function wrapped(text: string): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = `${lines.at(-1)} ${word}`.trimStart();
    if (line.length <= wrapAt) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines;
}

function fixed(x: number): string {
  return String(Number(x.toFixed(1)));
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}
