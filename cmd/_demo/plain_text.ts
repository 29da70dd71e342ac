import { columnsOf, padColumns, wrapParts } from "../../core/demo/picture/display_width.ts";
import { clockCaptions, describeEvent } from "../../core/demo/picture/phrases.ts";
import { buildChart, drawChart, legendEntries } from "../../core/demo/picture/timeline.ts";
import type { Text } from "../../core/demo/text.ts";
import {
  type PartStart,
  type TraceEvent,
  translate,
  type TranslatedEvent,
} from "../../core/demo/trace.ts";
import { print } from "../_term/out.ts";
import { PictureReporter } from "./picture.ts";

/** The numbers of first and last events of a part that are printed. */
const firstEvents = 32;
const lastEvents = 8;
const timeAxisColumns = 64;
/** The most lanes that are drawn. */
const maxLanes = 14;
const legendColumns = 98;
const minNameColumns = 8;

/** Prints a lesson as plain text for pipes and files, the same for the same seed. */
export class PlainTextReporter extends PictureReporter {
  #nameColumns = minNameColumns;

  partStarts({ part, title, clock }: PartStart): void {
    this.finishPart();
    this.clock = clock;
    if (part === 1) print(this.title);
    print(`\n${part}. ${title[this.lang]}\n`);
  }

  event(event: TraceEvent): void {
    const translated = translate(event, this.lang);
    this.#nameColumns = Math.max(this.#nameColumns, columnsOf(translated.lane));
    if (this.events.push(translated) <= firstEvents) this.#print(translated);
  }

  /** Prints the remaining events of the part, its picture and its drawing. */
  finishPart(): void {
    if (this.events.length === 0 && this.lines.length === 0) return;
    const rest = this.events.slice(firstEvents);
    const omitted = rest.length - lastEvents;
    if (omitted > 1) print(`           ${omittedText(omitted)[this.lang]}`);
    for (const event of omitted > 1 ? rest.slice(omitted) : rest) this.#print(event);
    if (this.events.length > 0) this.#printPicture();
    if (this.lines.length > 0) print("");
    for (const line of this.lines) print(`  ${line[this.lang]}`.trimEnd());
    this.events = [];
    this.lines = [];
    this.#nameColumns = minNameColumns;
  }

  #printPicture(): void {
    const lang = this.lang;
    const chart = buildChart(this.events, 0, this.letters);
    print("");
    for (const line of drawChart(chart, timeAxisColumns, { rows: maxLanes, lang })) {
      print(`  ${line}`);
    }
    print("");
    for (const line of wrapParts(legendEntries(chart, lang), "   ", legendColumns)) {
      print(`  ${line}`);
    }
    print(`  ${clockCaptions[this.clock][lang]}`);
  }

  #print(event: TranslatedEvent): void {
    const lane = padColumns(event.lane, this.#nameColumns);
    print(`${event.t.toFixed(3).padStart(9)}  ${lane}  ${describeEvent(event, this.lang)}`);
  }
}

function omittedText(count: number): Text {
  return {
    en: `(${count} more; --json prints all)`,
    zh: `（还有 ${count} 条；--json 打印全部）`,
  };
}
