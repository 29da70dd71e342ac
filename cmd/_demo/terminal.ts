import { columnsOf, padColumns, wrapParts } from "../../core/demo/picture/display_width.ts";
import { clockCaptions, describeEvent } from "../../core/demo/picture/phrases.ts";
import {
  buildChart,
  drawChart,
  legendEntries,
  type Letters,
  type Paint,
} from "../../core/demo/picture/timeline.ts";
import type { Lang } from "../../core/demo/text.ts";
import { type Drawing, type PartStart, type TraceEvent, translate } from "../../core/demo/trace.ts";
import { clip } from "../_term/clip.ts";
import { flush, print, writeStdout } from "../_term/out.ts";
import { printable } from "../../core/protocol/printable.ts";
import { PictureReporter } from "./picture.ts";

const redrawIntervalMs = 40;
/** The number of last events below the picture. */
const lastEvents = 6;
const minLanes = 4;
const maxLanes = 24;

/**
 * Draws a lesson on a terminal: the lanes of the current part grow while it runs, with its last
 * events below. The picture of a part that has ended stays, and the next one begins below it.
 */
export class TerminalReporter extends PictureReporter {
  readonly #colors: boolean;
  /** The number of lines of the last frame. */
  #frameLines = 0;
  /** The real time of the last frame, in ms. */
  #frameTime = -Infinity;
  /** Seconds on the part's clock. */
  #now = 0;

  /** The line below the frame while the part runs, for the meaning of keys. */
  footer: string | undefined;

  /** @param title printed before the first part */
  constructor(title: string, lang: Lang, colors: boolean) {
    super(title, lang);
    this.#colors = colors;
  }

  partStarts({ part, title, clock }: PartStart): void {
    this.finishPart();
    this.clock = clock;
    if (part === 1) print(this.#bold(this.title));
    print(`\n${this.#bold(`${part}. ${title[this.lang]}`)}`);
    flush();
  }

  event(event: TraceEvent): void {
    this.events.push(translate(event, this.lang));
    this.advance(event.t);
  }

  /** Advances the time without an event. @param t seconds on the part's clock */
  advance(t: number): void {
    this.#now = t;
    if (performance.now() - this.#frameTime >= redrawIntervalMs) this.redraw();
  }

  override drawing(part: number, drawing: Drawing): void {
    super.drawing(part, drawing);
    this.redraw();
  }

  redraw(): void {
    if (this.#hasContent()) this.#write(this.#frame(true));
  }

  /** Draws the final picture of the part. */
  finishPart(): void {
    if (this.#hasContent()) this.#write(this.#frame(false));
    this.events = [];
    this.lines = [];
    this.#frameLines = 0;
    this.#now = 0;
  }

  #hasContent(): boolean {
    return this.events.length > 0 || this.lines.length > 0;
  }

  #frame(running: boolean): string[] {
    const { columns, rows } = terminalSize();
    const lang = this.lang;
    const chart = buildChart(this.events, this.#now, this.letters);
    const names = Math.max(0, ...chart.lanes.map(({ name }) => columnsOf(name)));
    const fit = (line: string) => clip(printable(line), columns - 3);
    // The legend is wrapped, not cut, as each letter needs its explanation.
    const legend = wrapParts(legendEntries(chart, lang), "   ", columns - 3).map(fit);
    const drawing = this.lines.map((line) => fit(line[lang]));
    const freeRows = rows - lastEvents - drawing.length - legend.length - 7;
    const lanes = drawChart(chart, columns - names - 5, {
      rows: Math.max(minLanes, Math.min(maxLanes, freeRows)),
      paint: this.#colors ? painter(this.letters) : undefined,
      lang,
    });
    const lines = [...lanes, "", ...legend, fit(clockCaptions[this.clock][lang])];
    if (drawing.length > 0) lines.push("", ...drawing);
    if (running || drawing.length === 0) {
      const events = this.events.slice(-lastEvents).map((event) => {
        const lane = padColumns(event.lane, names);
        return fit(`${event.t.toFixed(3).padStart(8)}  ${lane}  ${describeEvent(event, lang)}`);
      });
      lines.push("", ...events);
    }
    if (running && this.footer !== undefined) lines.push("", fit(this.footer));
    return lines.map((line) => `  ${line}`);
  }

  /** Writes a frame over the last one, in one write, so that it does not flicker. */
  #write(lines: readonly string[]): void {
    flush();
    this.#frameTime = performance.now();
    const moveUp = this.#frameLines > 0 ? `\x1b[${this.#frameLines}A\r` : "";
    this.#frameLines = lines.length;
    writeStdout(new TextEncoder().encode(`${moveUp}\x1b[J${lines.join("\n")}\n`));
  }

  #bold(text: string): string {
    return this.#colors ? `\x1b[1m${text}\x1b[0m` : text;
  }
}

/** Paints a held object's color as the background, and an awaited object's as the foreground. */
function painter(letters: Letters): Paint {
  const objects = [...letters.keys()];
  const colors = [4, 3, 2, 5, 6, 1];
  return (characters, span) => {
    if (span === undefined) return characters;
    const object = span.held.at(-1) ?? (span.mode === "waits" ? span.of! : "");
    const index = objects.indexOf(object);
    if (index < 0) return span.mode === "runs" ? characters : `\x1b[2m${characters}\x1b[0m`;
    const color = colors[index % colors.length]!;
    return span.held.length > 0
      ? `\x1b[30;4${color}m${characters}\x1b[0m`
      : `\x1b[3${color}m${characters}\x1b[0m`;
  };
}

function terminalSize(): { readonly columns: number; readonly rows: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    return { columns: Math.max(40, columns || 80), rows: Math.max(16, rows || 24) };
  } catch {
    return { columns: 80, rows: 24 }; // standard output is a terminal without a size
  }
}
