/** Draws measurements as bars, in a terminal and as SVG. */
import { barOf } from "../bar.ts";
import { formatMs } from "../report.ts";
import type { Row, Subject } from "./measure.ts";

/** Formats seconds with three digits and a unit. */
export function formatSeconds(seconds: number): string {
  return formatMs(seconds * 1000);
}

/** Returns lines for a terminal, with a bar for each median. @param width columns */
export function bars(subject: Subject, rows: readonly Row[], width: number): string[] {
  const longest = Math.max(...rows.map(({ median }) => median));
  const left = Math.max(...rows.map(({ name }) => name.length));
  const room = Math.max(10, width - left - 46);
  return [
    `${subject.name}: ${subject.title}`,
    ...subject.scale ? [`  (${subject.scale})`] : [],
    ...rows.flatMap(({ name, is, author, median, least, most }) => [
      `  ${name.padEnd(left)}  ${formatSeconds(median).padStart(8)}` +
      `  (${formatSeconds(least)} to ${formatSeconds(most)})  ` +
      barOf(median / longest * room),
      `  ${" ".repeat(left)}  ${is}` +
      (author ? `; the course: ${author.what} ${formatSeconds(author.seconds)}` : ""),
    ]),
  ];
}

const [wide, high, gap, label] = [720, 22, 8, 150];

/** Returns the comparison as SVG: barge's figures dark, the course's light. */
export function svg(subject: Subject, rows: readonly Row[], machine: string): string {
  const entries = rows.flatMap(({ name, median, author }) => [
    { name, seconds: median, color: "#2563eb" },
    ...author
      ? [{ name: `course: ${author.what}`, seconds: author.seconds, color: "#cbd5e1" }]
      : [],
  ]);
  const longest = Math.max(...entries.map(({ seconds }) => seconds));
  const height = 56 + entries.length * (high + gap);
  const shapes = entries.map(({ name, seconds, color }, i) => {
    const y = 40 + i * (high + gap);
    const length = Math.max(1, seconds / longest * (wide - label - 190));
    return `<text x="${label + 90}" y="${y + 15}" text-anchor="end">${escape(name)}</text>` +
      `<rect x="${label + 98}" y="${y}" width="${
        length.toFixed(1)
      }" height="${high}" fill="${color}"/>` +
      `<text x="${(label + 104 + length).toFixed(1)}" y="${y + 15}">${
        formatSeconds(seconds)
      }</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${wide}" height="${height}" ` +
    `font-family="sans-serif" font-size="12">\n` +
    `<text x="8" y="18" font-size="14">${escape(`${subject.name}: ${subject.title}`)}</text>\n` +
    `<text x="8" y="33" fill="#64748b">${escape(machine)}</text>\n${shapes.join("\n")}\n</svg>\n`;
}

function escape(text: string): string {
  const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (letter) => names[letter]);
}
