/** Plots as SVG. Both axes are logarithmic, so that a power is a straight line. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Plot {
  readonly title: string;
  /** Labels of the axes, with units. */
  readonly x: string;
  readonly y: string;
  readonly lines: Readonly<Record<string, readonly Point[]>>;
}

/**
 * Returns the slope of a line on logarithmic axes, by least squares: the exponent of a power.
 */
export function slope(points: readonly Point[]): number {
  const logs = points.map(({ x, y }) => [Math.log(x), Math.log(y)]);
  const mean = (at: 0 | 1) => logs.reduce((sum, pair) => sum + pair[at], 0) / logs.length;
  const [mx, my] = [mean(0), mean(1)];
  const covariance = logs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return covariance / logs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}

const [wide, high, left, right, top, bottom] = [760, 460, 76, 230, 56, 52];
const colors = ["#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#475569"];

/** @param note in small letters below the title, for the machine and the date */
export function svg({ title, x, y, lines }: Plot, note: string): string {
  const all = Object.values(lines).flat();
  const across = axis(all.map((point) => point.x), left, wide - right);
  const upward = axis(all.map((point) => point.y), high - bottom, top);
  const shapes = [
    text(left, 22, title, 'font-size="15"'),
    text(left, 40, note, 'fill="#64748b" font-size="10"'),
    ...across.ticks.flatMap((value) => [
      line(across.at(value), top, across.at(value), high - bottom, "#e2e8f0"),
      text(across.at(value), high - bottom + 16, short(value), 'text-anchor="middle"'),
    ]),
    ...upward.ticks.flatMap((value) => [
      line(left, upward.at(value), wide - right, upward.at(value), "#e2e8f0"),
      text(left - 6, upward.at(value) + 4, short(value), 'text-anchor="end"'),
    ]),
    text((left + wide - right) / 2, high - 12, x, 'text-anchor="middle"'),
    text(14, top - 8, y, ""),
    ...Object.entries(lines).flatMap(([name, points], i) => drawn(name, points, i)),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${wide} ${high}" width="${wide}" ` +
    `height="${high}" font-family="sans-serif" font-size="12" fill="#0f172a">\n` +
    `<rect width="${wide}" height="${high}" fill="#ffffff"/>\n${shapes.join("\n")}\n</svg>\n`;

  function drawn(name: string, points: readonly Point[], i: number): string[] {
    const color = colors[i % colors.length];
    const places = points.map((point) => [across.at(point.x), upward.at(point.y)]);
    const row = top + 14 + i * 34;
    const steep = points.length > 1 ? `slope ${slope(points).toFixed(2)}` : "";
    const path = places.map((place) => place.map((n) => n.toFixed(1)).join(",")).join(" ");
    return [
      `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>`,
      ...places.map(([cx, cy]) =>
        `<circle cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="3" fill="${color}"/>`
      ),
      `<rect x="${wide - right + 16}" y="${row - 9}" width="10" height="10" fill="${color}"/>`,
      text(wide - right + 32, row, name, ""),
      text(wide - right + 32, row + 14, steep, 'fill="#64748b" font-size="10"'),
    ];
  }
}

/** Returns the powers of ten around the values, and the position of a value between two ends. */
function axis(values: readonly number[], from: number, to: number) {
  const low = Math.floor(Math.log10(Math.min(...values)) + 1e-9);
  const up = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values)) - 1e-9));
  return {
    ticks: Array.from({ length: up - low + 1 }, (_, i) => 10 ** (low + i)),
    at: (value: number) => from + (Math.log10(value) - low) / (up - low) * (to - from),
  };
}

/** Formats a number as 0.01, 1, 1,000, 10k or 1M. */
function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  if (value >= 1e4) return `${value / 1e3}k`;
  return value >= 1 ? value.toLocaleString("en-US") : String(Number(value.toPrecision(1)));
}

function line(x1: number, y1: number, x2: number, y2: number, color: string): string {
  const [a, b, c, d] = [x1, y1, x2, y2].map((n) => n.toFixed(1));
  return `<line x1="${a}" y1="${b}" x2="${c}" y2="${d}" stroke="${color}"/>`;
}

function text(x: number, y: number, content: string, attributes: string): string {
  const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
  const safe = content.replace(/[&<>]/g, (letter) => names[letter]);
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${safe}</text>`;
}
