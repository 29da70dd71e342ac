/** A lesson as plain text, the same for the same seed: what a pipe or a file gets. */
import type { ActBegins, Audience, DemoEvent, Lang } from "../../core/demo/events.ts";
import { chart, draw, legend } from "../../core/demo/timeline.ts";
import { told } from "../../core/demo/told.ts";
import { print } from "../_term/out.ts";

/** Of an act's events, so many of the first and the last are told. */
const [first, last] = [32, 8];
const columns = 64;
const rows = 28;

export class Plain implements Audience {
  readonly #title: string;
  readonly #lang: Lang;
  #events: DemoEvent[] = [];
  #drawing: readonly string[] = [];
  #width = 8;

  /** @param title printed before the first act */
  constructor(title: string, lang: Lang) {
    this.#title = title;
    this.#lang = lang;
  }

  begins({ act, title }: ActBegins): void {
    this.ends();
    if (act === 1) print(this.#title);
    print(`\n${act}. ${title[this.#lang]}\n`);
  }

  happens(event: DemoEvent): void {
    this.#width = Math.max(this.#width, event.lane.length);
    if (this.#events.push(event) <= first) this.#tell(event);
  }

  draws(_act: number, lines: readonly string[]): void {
    this.#drawing = lines;
  }

  /** Prints the rest of the act that is over, and its picture. */
  ends(): void {
    if (this.#events.length === 0) return;
    const rest = this.#events.slice(first);
    const left = rest.length - last;
    if (left > 1) print(`           (${left} more; --json prints all)`);
    for (const event of left > 1 ? rest.slice(left) : rest) this.#tell(event);
    const read = chart(this.#events);
    print("");
    for (const text of draw(read, columns, { rows })) print(`  ${text}`);
    print(`\n  ${legend(read)}`);
    if (this.#drawing.length > 0) print("");
    for (const text of this.#drawing) print(`  ${text}`);
    this.#events = [];
    this.#drawing = [];
    this.#width = 8;
  }

  #tell(event: DemoEvent): void {
    const lane = event.lane.padEnd(this.#width);
    print(`${event.t.toFixed(3).padStart(9)}  ${lane}  ${told(event)}`);
  }
}
