import { columnsOf, padColumns, wrapParts } from "../../core/demo/picture/display_width.ts";
import { clockCaptions, describeEvent } from "../../core/demo/picture/phrases.ts";
import {
  buildChart,
  drawChart,
  legendEntries,
  type Letters,
} from "../../core/demo/picture/timeline.ts";
import type { Lang, Text } from "../../core/demo/text.ts";
import {
  type Clock,
  type Drawing,
  type PartStart,
  type Reporter,
  type TraceEvent,
  translate,
  type TranslatedEvent,
} from "../../core/demo/trace.ts";
import { print } from "../_term/out.ts";

/** The numbers of first and last events of a part that are printed. */
const firstEvents = 32;
const lastEvents = 8;
const timeAxisColumns = 64;
/** The most lanes that are drawn. */
const maxLanes = 14;
const legendColumns = 98;
const minNameColumns = 8;

/** Prints a lesson as plain text for pipes and files, the same for the same seed. */
export class PlainTextReporter implements Reporter {
  readonly #title: string;
  readonly #lang: Lang;
  readonly #letters: Letters = new Map();
  #clock: Clock = "lesson";
  #events: TranslatedEvent[] = [];
  #drawing: Drawing = [];
  #nameColumns = minNameColumns;

  /** @param title printed before the first part */
  constructor(title: string, lang: Lang) {
    this.#title = title;
    this.#lang = lang;
  }

  partStarts({ part, title, clock }: PartStart): void {
    this.finishPart();
    this.#clock = clock;
    if (part === 1) print(this.#title);
    print(`\n${part}. ${title[this.#lang]}\n`);
  }

  event(event: TraceEvent): void {
    const translated = translate(event, this.#lang);
    this.#nameColumns = Math.max(this.#nameColumns, columnsOf(translated.lane));
    if (this.#events.push(translated) <= firstEvents) this.#print(translated);
  }

  drawing(_part: number, drawing: Drawing): void {
    this.#drawing = drawing;
  }

  /** Prints the remaining events of the part, its picture and its drawing. */
  finishPart(): void {
    if (this.#events.length === 0 && this.#drawing.length === 0) return;
    const rest = this.#events.slice(firstEvents);
    const omitted = rest.length - lastEvents;
    if (omitted > 1) print(`           ${omittedText(omitted)[this.#lang]}`);
    for (const event of omitted > 1 ? rest.slice(omitted) : rest) this.#print(event);
    if (this.#events.length > 0) this.#printPicture();
    if (this.#drawing.length > 0) print("");
    for (const line of this.#drawing) print(`  ${line[this.#lang]}`.trimEnd());
    this.#events = [];
    this.#drawing = [];
    this.#nameColumns = minNameColumns;
  }

  #printPicture(): void {
    const lang = this.#lang;
    const chart = buildChart(this.#events, 0, this.#letters);
    print("");
    for (const line of drawChart(chart, timeAxisColumns, { rows: maxLanes, lang })) {
      print(`  ${line}`);
    }
    print("");
    for (const line of wrapParts(legendEntries(chart, lang), "   ", legendColumns)) {
      print(`  ${line}`);
    }
    print(`  ${clockCaptions[this.#clock][lang]}`);
  }

  #print(event: TranslatedEvent): void {
    const lane = padColumns(event.lane, this.#nameColumns);
    print(`${event.t.toFixed(3).padStart(9)}  ${lane}  ${describeEvent(event, this.#lang)}`);
  }
}

function omittedText(count: number): Text {
  return {
    en: `(${count} more; --json prints all)`,
    zh: `（还有 ${count} 条；--json 打印全部）`,
  };
}
