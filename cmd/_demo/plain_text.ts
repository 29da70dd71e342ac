/** A lesson as plain text, the same for the same seed: what a pipe or a file gets. */
import {
  type ActBegins,
  type Audience,
  type Clock,
  type DemoEvent,
  type Drawing,
  spoken,
  type SpokenEvent,
} from "../../core/demo/trace.ts";
import type { Lang, Text } from "../../core/demo/text.ts";
import { chart, draw, legend, type Letters } from "../../core/demo/picture/timeline.ts";
import { columnsOf, padColumns, wrapParts } from "../../core/demo/picture/display_width.ts";
import { clocks, described } from "../../core/demo/picture/phrases.ts";
import { print } from "../_term/out.ts";

/** The number of first and last events of an act that are printed. */
const [first, last] = [32, 8];
const columns = 64;
/** The most lanes that are drawn, to keep the text readable. */
const rows = 14;
/** The legend is wrapped at this width. */
const legendWidth = 98;

export class Plain implements Audience {
  readonly #title: string;
  readonly #lang: Lang;
  readonly #letters: Letters = new Map();
  #clock: Clock = "lesson";
  #events: SpokenEvent[] = [];
  #drawing: Drawing = [];
  #width = 8;

  /** @param title printed before the first act */
  constructor(title: string, lang: Lang) {
    this.#title = title;
    this.#lang = lang;
  }

  begins({ act, title, clock }: ActBegins): void {
    this.ends();
    this.#clock = clock;
    if (act === 1) print(this.#title);
    print(`\n${act}. ${title[this.#lang]}\n`);
  }

  happens(event: DemoEvent): void {
    const said = spoken(event, this.#lang);
    this.#width = Math.max(this.#width, columnsOf(said.lane));
    if (this.#events.push(said) <= first) this.#print(said);
  }

  draws(_act: number, drawing: Drawing): void {
    this.#drawing = drawing;
  }

  /** Prints the rest of the act that is over, and its picture. */
  ends(): void {
    if (this.#events.length === 0 && this.#drawing.length === 0) return;
    const rest = this.#events.slice(first);
    const left = rest.length - last;
    if (left > 1) print(`           ${leftOut(left)[this.#lang]}`);
    for (const event of left > 1 ? rest.slice(left) : rest) this.#print(event);
    if (this.#events.length > 0) {
      const read = chart(this.#events, 0, this.#letters);
      print("");
      for (const text of draw(read, columns, { rows, lang: this.#lang })) print(`  ${text}`);
      print("");
      for (const line of wrapParts(legend(read, this.#lang), "   ", legendWidth)) {
        print(`  ${line}`);
      }
      print(`  ${clocks[this.#clock][this.#lang]}`);
    }
    if (this.#drawing.length > 0) print("");
    for (const line of this.#drawing) print(`  ${line[this.#lang]}`.trimEnd());
    this.#events = [];
    this.#drawing = [];
    this.#width = 8;
  }

  #print(event: SpokenEvent): void {
    const lane = padColumns(event.lane, this.#width);
    print(`${event.t.toFixed(3).padStart(9)}  ${lane}  ${described(event, this.#lang)}`);
  }
}

function leftOut(n: number): Text {
  return {
    en: `(${n} more; --json prints all)`,
    zh: `（还有 ${n} 条；--json 打印全部）`,
  };
}
