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
  readonly #lang: Lang;
  #events: DemoEvent[] = [];
  #drawing: readonly string[] = [];

  constructor(lang: Lang) {
    this.#lang = lang;
  }

  begins({ act, title }: ActBegins): void {
    this.ends();
    print(`\n${act}. ${title[this.#lang]}\n`);
  }

  happens(event: DemoEvent): void {
    this.#events.push(event);
  }

  draws(_act: number, lines: readonly string[]): void {
    this.#drawing = lines;
  }

  /** Prints the act that is over. */
  ends(): void {
    if (this.#events.length === 0) return;
    const left = this.#events.length - first - last;
    const width = Math.max(...this.#events.map(({ lane }) => lane.length));
    const line = (event: DemoEvent) =>
      `${event.t.toFixed(3).padStart(9)}  ${event.lane.padEnd(width)}  ${told(event)}`;
    if (left <= 1) this.#events.forEach((event) => print(line(event)));
    else {
      this.#events.slice(0, first).forEach((event) => print(line(event)));
      print(`           (${left} more; --json prints all)`);
      this.#events.slice(-last).forEach((event) => print(line(event)));
    }
    const read = chart(this.#events);
    print("");
    for (const text of draw(read, columns, { rows })) print(`  ${text}`);
    print(`\n  ${legend(read)}`);
    if (this.#drawing.length > 0) print("");
    for (const text of this.#drawing) print(`  ${text}`);
    this.#events = [];
    this.#drawing = [];
  }
}
