/**
 * A lesson on a terminal: the act's lanes grow while it plays, its last events run below them. When
 * an act is over its picture stays, and the next one begins under it.
 *
 * The cursor is moved and the frame written in one go, at most so often that eyes can follow.
 */
import type { ActBegins, Audience, DemoEvent, Lang } from "../../core/demo/events.ts";
import { type Chart, chart, draw, legend, type Paint } from "../../core/demo/timeline.ts";
import { told } from "../../core/demo/told.ts";
import { clip } from "../_term/clip.ts";
import { flush, print, writeStdout } from "../_term/out.ts";
import { printable } from "../_term/text.ts";

const redrawEvery = 40;
const lastEvents = 6;

export class Live implements Audience {
  readonly #title: string;
  readonly #lang: Lang;
  readonly #colors: boolean;
  #events: DemoEvent[] = [];
  #drawing: readonly string[] = [];
  #drawn = 0;
  #at = -Infinity;
  /** How late it is on the act's clock. */
  #now = 0;

  /** @param title printed before the first act */
  constructor(title: string, lang: Lang, colors: boolean) {
    this.#title = title;
    this.#lang = lang;
    this.#colors = colors;
  }

  begins({ act, title }: ActBegins): void {
    this.ends();
    if (act === 1) print(this.#bold(this.#title));
    print(`\n${this.#bold(`${act}. ${title[this.#lang]}`)}`);
    flush();
  }

  happens(event: DemoEvent): void {
    this.#events.push(event);
    this.passes(event.t);
  }

  /** Time passes, though nothing may happen. @param t on the act's clock */
  passes(t: number): void {
    this.#now = t;
    if (performance.now() - this.#at >= redrawEvery) this.redraw();
  }

  draws(_act: number, lines: readonly string[]): void {
    this.#drawing = lines;
    this.redraw();
  }

  /** Draws what there is now. */
  redraw(): void {
    if (this.#events.length > 0) this.#write(this.#frame(true));
  }

  /** The act is over: its picture stays. */
  ends(): void {
    if (this.#events.length > 0) this.#write(this.#frame(false));
    this.#events = [];
    this.#drawing = [];
    this.#drawn = 0;
    this.#now = 0;
  }

  #frame(running: boolean): string[] {
    const { columns, rows } = size();
    const read = chart(this.#events, this.#now);
    const names = Math.max(...read.lanes.map(({ name }) => name.length));
    const notes = this.#events.slice(-lastEvents);
    const room = rows - lastEvents - this.#drawing.length - 6;
    const lanes = draw(read, columns - names - 5, {
      rows: Math.max(4, room),
      paint: this.#colors ? painter(read) : undefined,
    });
    const fit = (line: string) => clip(printable(line), columns - 3);
    const lines = [...lanes, "", fit(legend(read)), ...this.#drawing.map(fit)];
    if (running || this.#drawing.length === 0) {
      lines.push(
        "",
        ...notes.map((event) =>
          fit(`${event.t.toFixed(3).padStart(8)}  ${event.lane.padEnd(names)}  ${told(event)}`)
        ),
      );
    }
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
function painter({ things }: Chart): Paint {
  const order = [...things.keys()];
  const colors = [4, 3, 2, 5, 6, 1];
  return (glyphs, span) => {
    if (span === undefined) return glyphs;
    if (span.mode === "sleeps") return `\x1b[2m${glyphs}\x1b[0m`;
    const at = order.indexOf(span.of ?? "");
    if (at < 0) return span.mode === "waits" ? `\x1b[2m${glyphs}\x1b[0m` : glyphs;
    const color = colors[at % colors.length]!;
    return span.mode === "holds"
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
