/** Bytes a second over time, as a drawing, and in words and numbers for who can't see it. */
import { formatSize } from "../../../size.ts";
import type { Rate, Span } from "../../../watch/history.ts";
import { formatTime } from "./format.ts";

const width = 720;
const height = 180;
const lengths: Readonly<Record<Span, number>> = { hour: 3_600_000, day: 86_400_000 };
/** What stands below it. */
const ago: Readonly<Record<Span, readonly string[]>> = {
  hour: ["1 h ago", "45 min", "30 min", "15 min", "now"],
  day: ["24 h ago", "18 h", "12 h", "6 h", "now"],
};
/** Rows of the table that goes with it. */
const rows = 12;

interface ChartProps {
  readonly rates: readonly Rate[];
  readonly span: Span;
  /** The right edge, in ms since 1970. */
  readonly now: number;
}

export function Chart({ rates, span, now }: ChartProps) {
  const from = now - lengths[span];
  const shown = rates.filter(({ to }) => to > from);
  const top = roundUp(Math.max(1000, ...shown.flatMap(({ received, sent }) => [received, sent])));
  const all = { received: bytesOf(shown, "received"), sent: bytesOf(shown, "sent") };
  const summary = `In the last ${span}, ${formatSize(all.received)} came in, at most ` +
    `${formatSize(most(shown, "received"))} a second; ${formatSize(all.sent)} went out, at most ` +
    `${formatSize(most(shown, "sent"))} a second.`;
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
          {(["sent", "received"] as const).map((way) => {
            const line = lineOf(shown, way, from, now, top);
            return line && (
              <>
                <path class={`area ${way}`} d={line.area} />
                <path class={`line ${way}`} d={line.path} />
              </>
            );
          })}
        </svg>
        <div class="times" aria-hidden="true">
          {ago[span].map((label) => <span>{label}</span>)}
        </div>
      </div>
      <figcaption>
        <span class="key received">In {formatSize(all.received)}</span>
        <span class="key sent">Out {formatSize(all.sent)}</span>
      </figcaption>
      <details id="numbers">
        <summary>As numbers</summary>
        <p>{summary}</p>
        <Numbers rates={shown} from={from} now={now} />
      </details>
    </figure>
  );
}

function Numbers({ rates, from, now }: { rates: readonly Rate[]; from: number; now: number }) {
  const step = (now - from) / rows;
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
        {Array.from({ length: rows }, (_, i) => {
          const begin = from + i * step;
          const part = rates.filter(({ to }) => to > begin && to <= begin + step);
          return (
            <tr>
              <th scope="row">
                <time datetime={new Date(begin).toISOString()}>{formatTime(begin)}</time>
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

type Way = "received" | "sent";

function bytesOf(rates: readonly Rate[], way: Way): number {
  return Math.round(rates.reduce((sum, rate) => sum + rate[way] * (rate.to - rate.from) / 1000, 0));
}

function most(rates: readonly Rate[], way: Way): number {
  return Math.max(0, ...rates.map((rate) => rate[way]));
}

/** Steps, since each rate holds for a while: nothing is drawn that was not measured. */
function lineOf(
  rates: readonly Rate[],
  way: Way,
  from: number,
  now: number,
  top: number,
): { path: string; area: string } | undefined {
  if (rates.length === 0) return undefined;
  const x = (at: number) => round((Math.max(from, at) - from) / (now - from) * width);
  const y = (rate: number) => round(height - rate / top * (height - 2) - 1);
  const steps = rates.map((rate) =>
    `${x(rate.from)},${y(rate[way])} ${x(rate.to)},${y(rate[way])}`
  );
  const path = `M${steps.join(" L")}`;
  const [first, last] = [x(rates[0].from), x(rates.at(-1)!.to)];
  return { path, area: `${path} L${last},${height} L${first},${height} Z` };
}

/**
 * The next number that reads well: 1, 2 or 5, and zeros.
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
