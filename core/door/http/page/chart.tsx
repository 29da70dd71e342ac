/** The chart of bytes a second, with a summary and a table for screen readers. */
import { dayMs, hourMs } from "../../../duration.ts";
import { formatSize } from "../../../size.ts";
import type { Rate, Span } from "../../../watch/history.ts";
import { Time } from "./layout.tsx";

const width = 720;
const height = 180;
const spanMs: Readonly<Record<Span, number>> = { hour: hourMs, day: dayMs };
/** The labels of the time axis. */
const timeLabels: Readonly<Record<Span, readonly string[]>> = {
  hour: ["1 h ago", "45 min", "30 min", "15 min", "now"],
  day: ["24 h ago", "18 h", "12 h", "6 h", "now"],
};
const tableRows = 12;

/** @param now the right edge, in ms since 1970 */
export function Chart(
  { rates, span, now }: { rates: readonly Rate[]; span: Span; now: number },
) {
  const from = now - spanMs[span];
  const shown = rates.filter(({ to }) => to > from);
  const top = roundUp(Math.max(1000, ...shown.flatMap(({ received, sent }) => [received, sent])));
  const received = formatSize(bytesOf(shown, "received"));
  const sent = formatSize(bytesOf(shown, "sent"));
  const summary =
    `In the last ${span}, ${received} received, at most ${maxRate(shown, "received")} a second; ` +
    `${sent} sent, at most ${maxRate(shown, "sent")} a second.`;
  return (
    <figure class="traffic">
      <div class="plot">
        <span class="axis">{formatSize(top)}/s</span>
        <svg
          class="chart"
          viewBox={`0 0 ${width} ${height}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={summary}
        >
          {[0, 1, 2, 3, 4].map((i) => (
            <line class="grid" x1="0" x2={width} y1={i * height / 4} y2={i * height / 4} />
          ))}
          {(["sent", "received"] as const).map((direction) => {
            const line = lineOf(shown, direction, from, now, top);
            return line && (
              <>
                <path class={`area ${direction}`} d={line.area} />
                <path class={`line ${direction}`} d={line.path} />
              </>
            );
          })}
        </svg>
        <div class="times" aria-hidden="true">
          {timeLabels[span].map((label) => <span>{label}</span>)}
        </div>
      </div>
      <figcaption>
        <span class="key received">In {received}</span>
        <span class="key sent">Out {sent}</span>
      </figcaption>
      <details id="numbers">
        <summary>As a table</summary>
        <p>{summary}</p>
        <Numbers rates={shown} from={from} now={now} />
      </details>
    </figure>
  );
}

function Numbers({ rates, from, now }: { rates: readonly Rate[]; from: number; now: number }) {
  const step = (now - from) / tableRows;
  return (
    <table class="plain">
      <thead>
        <tr>
          <th scope="col">From</th>
          <th scope="col" class="num">In</th>
          <th scope="col" class="num">Out</th>
        </tr>
      </thead>
      <tbody>
        {Array.from({ length: tableRows }, (_, i) => {
          const begin = from + i * step;
          const part = rates.filter(({ to }) => to > begin && to <= begin + step);
          return (
            <tr>
              <th scope="row">
                <Time at={begin} />
              </th>
              <td class="num">{formatSize(bytesOf(part, "received"))}</td>
              <td class="num">{formatSize(bytesOf(part, "sent"))}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

type Direction = "received" | "sent";

function bytesOf(rates: readonly Rate[], direction: Direction): number {
  return Math.round(
    rates.reduce((sum, rate) => sum + rate[direction] * (rate.to - rate.from) / 1000, 0),
  );
}

function maxRate(rates: readonly Rate[], direction: Direction): string {
  return formatSize(Math.max(0, ...rates.map((rate) => rate[direction])));
}

/** Draws steps, since each rate is the mean of its interval. */
function lineOf(
  rates: readonly Rate[],
  direction: Direction,
  from: number,
  now: number,
  top: number,
): { path: string; area: string } | undefined {
  if (rates.length === 0) return undefined;
  const x = (at: number) => round((Math.max(from, at) - from) / (now - from) * width);
  const y = (rate: number) => round(height - rate / top * (height - 2) - 1);
  const steps = rates.map((rate) =>
    `${x(rate.from)},${y(rate[direction])} ${x(rate.to)},${y(rate[direction])}`
  );
  const path = `M${steps.join(" L")}`;
  const [first, last] = [x(rates[0].from), x(rates.at(-1)!.to)];
  return { path, area: `${path} L${last},${height} L${first},${height} Z` };
}

/**
 * Rounds up to 1, 2 or 5 times a power of ten.
 *
 * @example
 * ```ts
 * import { roundUp } from "./chart.tsx";
 * if (roundUp(1001) !== 2000 || roundUp(42) !== 50) throw new Error();
 * ```
 */
export function roundUp(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  return unit * [1, 2, 5, 10].find((n) => n * unit >= value)!;
}

function round(n: number): number {
  return Math.round(n * 10) / 10;
}
