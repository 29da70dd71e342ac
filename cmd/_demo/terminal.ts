/**
 * A lesson on a terminal: the act's lanes grow while it plays, its last events run below them. When
 * an act is over its picture stays, and the next one begins under it.
 *
 * The cursor is moved and the frame written in one go, at most so often that eyes can follow.
 */
import {
  type ActBegins,
  type Audience,
  type Clock,
  type DemoEvent,
  type Drawing,
  spoken,
  type SpokenEvent,
} from "../../core/demo/trace.ts";
import type { Lang } from "../../core/demo/text.ts";
import { chart, draw, legend, type Letters, type Paint } from "../../core/demo/picture/timeline.ts";
import { columnsOf, padColumns, wrapParts } from "../../core/demo/picture/display_width.ts";
import { clocks, described } from "../../core/demo/picture/phrases.ts";
import { clip } from "../_term/clip.ts";
import { flush, print, writeStdout } from "../_term/out.ts";
import { printable } from "../_term/text.ts";

const redrawEvery = 40;
const lastEvents = 6;
/** The most lanes that are drawn. */
const mostLanes = 24;

export class Live implements Audience {
  readonly #title: string;
  readonly #lang: Lang;
  readonly #colors: boolean;
  readonly #letters: Letters = new Map();
  #clock: Clock = "lesson";
  #events: SpokenEvent[] = [];
  #drawing: Drawing = [];
  #drawn = 0;
  #at = -Infinity;
  /** How late it is on the act's clock. */
  #now = 0;

  /** A line under the frame while the act runs, for the meaning of keys. */
  footer: string | undefined;

  /** @param title printed before the first act */
  constructor(title: string, lang: Lang, colors: boolean) {
    this.#title = title;
    this.#lang = lang;
    this.#colors = colors;
  }

  begins({ act, title, clock }: ActBegins): void {
    this.ends();
    this.#clock = clock;
    if (act === 1) print(this.#bold(this.#title));
    print(`\n${this.#bold(`${act}. ${title[this.#lang]}`)}`);
    flush();
  }

  happens(event: DemoEvent): void {
    this.#events.push(spoken(event, this.#lang));
    this.passes(event.t);
  }

  /** Time passes, though nothing may happen. @param t on the act's clock */
  passes(t: number): void {
    this.#now = t;
    if (performance.now() - this.#at >= redrawEvery) this.redraw();
  }

  draws(_act: number, drawing: Drawing): void {
    this.#drawing = drawing;
    this.redraw();
  }

  /** Draws what there is now. */
  redraw(): void {
    if (this.#shows()) this.#write(this.#frame(true));
  }

  /** The act is over: its picture stays. */
  ends(): void {
    if (this.#shows()) this.#write(this.#frame(false));
    this.#events = [];
    this.#drawing = [];
    this.#drawn = 0;
    this.#now = 0;
  }

  #shows(): boolean {
    return this.#events.length > 0 || this.#drawing.length > 0;
  }

  #frame(running: boolean): string[] {
    const { columns, rows } = size();
    const lang = this.#lang;
    const read = chart(this.#events, this.#now, this.#letters);
    const names = Math.max(0, ...read.lanes.map(({ name }) => columnsOf(name)));
    const notes = this.#events.slice(-lastEvents);
    const fit = (line: string) => clip(printable(line), columns - 3);
    // The legend is never cut, since its letters need their explanation.
    const key = wrapParts(legend(read, lang), "   ", columns - 3).map(fit);
    const drawing = this.#drawing.map((line) => fit(line[lang]));
    const room = rows - lastEvents - drawing.length - key.length - 7;
    const lanes = draw(read, columns - names - 5, {
      rows: Math.max(4, Math.min(mostLanes, room)),
      paint: this.#colors ? painter(this.#letters) : undefined,
      lang,
    });
    const below = drawing.length > 0 ? ["", ...drawing] : [];
    const lines = [...lanes, "", ...key, fit(clocks[this.#clock][lang]), ...below];
    if (running || drawing.length === 0) {
      lines.push(
        "",
        ...notes.map((event) => {
          const lane = padColumns(event.lane, names);
          return fit(`${event.t.toFixed(3).padStart(8)}  ${lane}  ${described(event, lang)}`);
        }),
      );
    }
    if (running && this.footer !== undefined) lines.push("", fit(this.footer));
    return lines.map((line) => `  ${line}`);
  }

  /** Writes a frame over the one before. */
  #write(lines: readonly string[]): void {
    flush();
    this.#at = performance.now();
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A\r` : "";
    const text = `${up}\x1b[J${lines.join("\n")}\n`;
    this.#drawn = lines.length;
    writeStdout(new TextEncoder().encode(text));
  }

  #bold(text: string): string {
    return this.#colors ? `\x1b[1m${text}\x1b[0m` : text;
  }
}

/** What is held has its color as background, what is waited for as its letters. */
function painter(letters: Letters): Paint {
  const order = [...letters.keys()];
  const colors = [4, 3, 2, 5, 6, 1];
  return (glyphs, span) => {
    if (span === undefined) return glyphs;
    const of = span.has.at(-1) ?? (span.mode === "waits" ? span.of! : "");
    const at = order.indexOf(of);
    if (at < 0) return span.mode === "runs" ? glyphs : `\x1b[2m${glyphs}\x1b[0m`;
    const color = colors[at % colors.length]!;
    return span.has.length > 0
      ? `\x1b[30;4${color}m${glyphs}\x1b[0m`
      : `\x1b[3${color}m${glyphs}\x1b[0m`;
  };
}

function size(): { readonly columns: number; readonly rows: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    return { columns: Math.max(40, columns || 80), rows: Math.max(16, rows || 24) };
  } catch {
    return { columns: 80, rows: 24 }; // standard output is a terminal without a size
  }
}
