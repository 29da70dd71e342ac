/**
 * The progress line of a transfer. {@link render} and {@link Tally} do no I/O; {@link Progress}
 * draws, at most ten times a second, if standard error is a terminal.
 */
import { clip } from "./clip.ts";
import { StatusLine, terminal, terminalWidth } from "./out.ts";
import { inNumber } from "../../core/counted.ts";
import { formatSize } from "../../core/size.ts";
import { printable } from "../../core/protocol/printable.ts";

const redrawMs = 100;
/** The half-life of the averaged rate. */
const rateHalfLifeMs = 2000;
/** The time at the start that the rate leaves out: the first bytes only fill the network's buffers. */
const bufferFillMs = 1000;

export interface State {
  readonly files: number;
  readonly totalFiles: number;
  readonly bytes: number;
  readonly totalBytes: number;
  /** Bytes a second; null at the start. */
  readonly rate: number | null;
  /** The current file. */
  readonly name: string;
}

export type Step =
  | { readonly type: "plan"; readonly files: number; readonly bytes: number }
  | {
    readonly type: "start";
    readonly path: string;
    /** `-`: show the path instead. */
    readonly local: string;
    readonly size?: number | null;
    /** Bytes that need not be moved. */
    readonly offset: number;
  }
  | { readonly type: "bytes"; readonly count: number }
  | { readonly type: "done" | "removed" | "note" };

/** The fewest characters of the bar. A shorter bar would be less precise than the percentage. */
const minBar = 10;
const maxBar = 60;
/** The columns left for the name before the bar grows beyond a third of {@link maxBar}. */
const nameColumns = 24;

/**
 * Returns the line, in at most `width` columns: a bar, percentage, rate and time left, then further
 * facts as the width allows.
 */
export function render(state: State, width: number): string {
  const { files, totalFiles, bytes, totalBytes, rate, name } = state;
  const done = totalBytes > 0 ? Math.min(1, bytes / totalBytes) : null;
  const facts = done === null ? [formatSize(bytes)] : [`${Math.floor(done * 100)}%`];
  if (rate !== null && rate > 0) {
    facts.push(`${formatSize(rate)}/s`);
    if (totalBytes > bytes) facts.push(`${duration((totalBytes - bytes) / rate)} left`);
  }
  const more = [
    ...totalFiles > 1 ? [`${number(files)}/${number(totalFiles)} files`] : [],
    ...done === null ? [] : [`${formatSize(bytes)} of ${formatSize(totalBytes)}`],
  ];
  // Two brackets and two spaces belong to the bar.
  const room = (words: readonly string[]) => width - words.join("  ").length - 4;
  while (more.length > 0 && room([...facts, ...more]) < minBar + 10) more.pop();
  const text = [...facts, ...more];
  let line = clip(text.join("  "), width);
  if (done !== null && room(text) >= minBar) {
    const wanted = Math.max(Math.floor(maxBar / 3), room(text) - nameColumns);
    const cells = Math.min(maxBar, room(text), name === "" ? maxBar : wanted);
    line = `[${bar(done, cells)}]  ${line}`;
  }
  const left = width - line.length - 2;
  return left < 4 || name === "" ? line : `${line}  ${clip(printable(name), left)}`;
}

function bar(done: number, cells: number): string {
  const full = Math.floor(done * cells);
  return "#".repeat(full) + "-".repeat(cells - full);
}

/**
 * Formats a time span.
 */
export function duration(seconds: number): string {
  if (seconds < 1) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 100 * 3600) {
    return `${Math.floor(whole / 3600)} h ${Math.floor(whole % 3600 / 60)} min`;
  }
  return `${Math.floor(whole / 86_400)} days`;
}

/** Formats a whole number with commas: 5,000. The first call of `toLocaleString` would take 10 ms. */
export function number(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Formats a number and its noun with commas: "1 file", "2,000 files". @param nouns as `inNumber` */
export function counted(n: number, noun: string, nouns?: string): string {
  return `${number(n)} ${inNumber(n, noun, nouns)}`;
}

/** Sums events up. Times are parameters, in ms, so that tests need no clock. */
export class Tally {
  #files = 0;
  #totalFiles = 0;
  #bytes = 0;
  #totalBytes = 0;
  #name = "";
  #rate: number | null = null;
  #since: { time: number; moved: number } | undefined;
  /** When {@link state} first saw a byte moved. */
  #began: number | undefined;
  #moved = 0;

  add(event: Step): void {
    if (event.type === "plan") {
      this.#totalFiles += event.files;
      this.#totalBytes += event.bytes;
    } else if (event.type === "start") {
      this.#name = event.local === "-" ? event.path : event.local;
      this.#bytes += event.offset;
    } else if (event.type === "bytes") {
      this.#bytes += event.count;
      this.#moved += event.count;
    } else if (event.type === "done") {
      this.#files++;
    }
  }

  /** Returns the progress at a time. */
  state(now: number): State {
    this.#measure(now);
    return {
      files: this.#files,
      totalFiles: Math.max(this.#totalFiles, this.#files),
      bytes: this.#bytes,
      totalBytes: this.#totalBytes === 0 ? 0 : Math.max(this.#totalBytes, this.#bytes),
      rate: this.#rate,
      name: this.#name,
    };
  }

  /** Averages the rate, so that the time left does not jump. */
  #measure(now: number): void {
    if (this.#moved > 0) this.#began ??= now;
    if (this.#began === undefined || now < this.#began + bufferFillMs) return;
    this.#since ??= { time: now, moved: this.#moved };
    const elapsed = now - this.#since.time;
    if (elapsed < redrawMs / 2) return;
    const current = (this.#moved - this.#since.moved) / (elapsed / 1000);
    const keep = 0.5 ** (elapsed / rateHalfLifeMs);
    this.#rate = this.#rate === null ? current : this.#rate * keep + current * (1 - keep);
    this.#since = { time: now, moved: this.#moved };
  }
}

/** The line on the terminal, until it is disposed. */
export class Progress implements Disposable {
  readonly #tally = new Tally();
  readonly #line = new StatusLine();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #drawn = performance.now(); // shows nothing in the first tenth of a second

  /** Adds an event, and draws when it is time. */
  add(event: Step): void {
    this.#tally.add(event);
    const due = this.#drawn + redrawMs - performance.now();
    // A busy transfer may delay timers, and an idle one sends no events.
    if (due <= 0) this.#draw();
    else this.#timer ??= setTimeout(() => this.#draw(), due);
  }

  /** Removes the line until the next event. */
  hide(): void {
    this.#line.hide();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#line[Symbol.dispose]();
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#drawn = performance.now();
    this.#line.show(render(this.#tally.state(this.#drawn), terminalWidth() - 1));
  }
}

/** Returns a progress line; undefined without a terminal. */
export function progress(quiet: boolean): Progress | undefined {
  return quiet || !terminal.stderr ? undefined : new Progress();
}
