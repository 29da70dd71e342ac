/**
 * Output: data on standard output, everything else on standard error.
 *
 * Lines for standard output are buffered, and written at the next turn of the event loop or when
 * they fill 64 KiB. {@link finish} writes the rest before the program exits. When the reader of
 * standard output closes it (`| head`) or its disk is full, {@link stdoutClosed} is aborted, and
 * later output is dropped.
 */
import type { BargeError } from "../../core/error.ts";
import { Sink } from "./sink.ts";
import { oneLine, printable } from "../../core/protocol/printable.ts";

const closed = new AbortController();
const encoder = new TextEncoder();
const maxBufferedChars = 64 * 1024;
/** The time in which output must be written after Ctrl-C, in ms. */
const lastOutputMs = 200;

let buffer = "";
let isFlushDue = false;
let statusLine: StatusLine | undefined;
let failure: BargeError | undefined;
let copy: ((line: string) => void) | undefined;
const interrupted = Promise.withResolvers<void>();

/** Aborted when standard output can no longer be written. */
export const stdoutClosed: AbortSignal = closed.signal;

/** Whether the standard streams are terminals. */
export const terminal = {
  stdout: Deno.stdout.isTerminal(),
  stderr: Deno.stderr.isTerminal(),
  stdin: Deno.stdin.isTerminal(),
};

/** Returns the columns of the terminal; 80 if they are unknown. */
export function terminalWidth(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}

const output = new Sink(Deno.stdout, {
  name: "standard output",
  atOnce: terminal.stdout,
  onEnd(cause) {
    failure = cause;
    closed.abort();
  },
});
const errors = new Sink(Deno.stderr, {
  name: "standard error",
  atOnce: terminal.stderr,
  onEnd() {/* there is nowhere to report it */},
});

/** Prints one or several lines of trusted text on standard output. */
export function print(line: string): void {
  printRaw(line + "\n");
}

/** Prints text on standard output as it is. */
export function printRaw(text: string): void {
  buffer += text;
  if (buffer.length >= maxBufferedChars) flush();
  else if (!isFlushDue) {
    isFlushDue = true;
    setTimeout(flush);
  }
}

/** Returns a text for a line of standard output: without control characters on a terminal, and line ends elsewhere. */
export function escaped(text: string): string {
  return terminal.stdout ? printable(text) : oneLine(text);
}

/** Prints one line of data on standard output, escaped as a whole. */
export function printLine(line: string): void {
  print(escaped(line));
}

/** Prints an object as one line of JSON on standard output. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** Waits while much output is queued, for loops that print. @throws the reason of the signal */
export function keepUp(signal?: AbortSignal): Promise<void> | undefined {
  return output.keepUp(signal);
}

/** Passes each later note to a function, too. @param to undefined: ends that */
export function copyNotes(to: ((line: string) => void) | undefined): void {
  copy = to;
}

/** Passes a line to the function of {@link copyNotes} without printing it. */
export function record(line: string): void {
  copy?.(printable(line));
}

/** Prints a line for people on standard error. Control characters are escaped. */
export function note(line: string): void {
  record(line);
  statusLine?.hide();
  if (terminal.stdout) flush(); // so that a terminal shows both streams in order
  writeError(printable(line) + "\n");
}

/** Writes trusted text to standard error. */
export function writeError(text: string): void {
  errors.write(encoder.encode(text));
}

/** A line on the terminal that shows progress, until it is disposed. Other lines replace it. */
export class StatusLine implements Disposable {
  #shown = false;

  constructor() {
    statusLine = this;
  }

  /** @param text shorter than the terminal is wide */
  show(text: string): void {
    writeError(`\r${text}\x1b[K`);
    this.#shown = true;
  }

  hide(): void {
    if (this.#shown) writeError("\r\x1b[K");
    this.#shown = false;
  }

  [Symbol.dispose](): void {
    this.hide();
    statusLine = undefined;
  }
}

/** Writes the buffered lines. */
export function flush(): void {
  isFlushDue = false;
  if (buffer === "") return;
  if (terminal.stdout) statusLine?.hide();
  const text = buffer;
  buffer = "";
  output.write(encoder.encode(text));
}

/** Writes bytes to standard output. */
export function writeStdout(bytes: Uint8Array): void {
  flush();
  output.write(bytes);
}

/** Limits the wait for a slow reader, after Ctrl-C. */
export function stopWaiting(): void {
  interrupted.resolve();
}

/**
 * Waits until all output is written.
 *
 * @returns undefined when all is written; `gone` when the reader has closed it, or does not read after
 *   {@link stopWaiting}; the failure of standard output
 */
export async function finish(): Promise<"gone" | BargeError | undefined> {
  flush();
  const all = Promise.all([output.drained(), errors.drained()]).then(() => true);
  const late = interrupted.promise.then(() =>
    new Promise<boolean>((resolve) => setTimeout(() => resolve(false), lastOutputMs))
  );
  const written = await Promise.race([all, late]);
  if (failure) return failure;
  return written && !closed.signal.aborted ? undefined : "gone";
}

/** Standard output as the target of a download: waits for its reader without blocking. */
export const stdoutBytes = {
  async write(bytes: Uint8Array): Promise<number> {
    for (;;) {
      try {
        return await Deno.stdout.write(bytes);
      } catch (error) {
        if (error instanceof Deno.errors.BrokenPipe) closed.abort();
        if (!(error instanceof Deno.errors.WouldBlock)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 5));
        closed.signal.throwIfAborted();
      }
    }
  },
};
