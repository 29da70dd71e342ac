/**
 * What the program says: data on standard output, all else on standard error.
 *
 * Lines for standard output are gathered and handed on within the same turn of the event loop or
 * when they fill 64 KiB, whichever is first; {@link finish} waits for the rest before the program
 * exits. When the reader of standard output goes (`| head`) or its disk is full, {@link
 * stdoutClosed} is aborted, and later output is dropped.
 */
import type { BargeError } from "../../core/error.ts";
import { Sink } from "./sink.ts";
import { oneLine, printable } from "./text.ts";

const closed = new AbortController();
const encoder = new TextEncoder();
const gatherUpTo = 64 * 1024;
/** How long output may still take after Ctrl-C, in ms. */
const lastOutputMs = 200;

let gathered = "";
let due = false;
let statusLine: { hide(): void } | undefined;
let failure: BargeError | undefined;
const interrupted = Promise.withResolvers<void>();

/** Aborted when standard output can no longer be written. */
export const stdoutClosed: AbortSignal = closed.signal;

/** Is a person reading standard output, standard error? Looked up once. */
export const terminal = {
  stdout: Deno.stdout.isTerminal(),
  stderr: Deno.stderr.isTerminal(),
  stdin: Deno.stdin.isTerminal(),
};

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
  onEnd() {/* standard error itself has ended */},
});

/** Prints text of our own on standard output, of one line or several. */
export function print(line: string): void {
  gathered += line + "\n";
  if (gathered.length >= gatherUpTo) flush();
  else if (!due) {
    due = true;
    setTimeout(flush);
  }
}

/**
 * Prints one line of data on standard output, whatever names are in it: on a terminal all that it
 * would obey is escaped, else what ends a line is.
 */
export function printLine(line: string): void {
  print(terminal.stdout ? printable(line) : oneLine(line));
}

/** Prints an object as one line of JSON on standard output. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/**
 * Waits until standard output keeps up, in loops that print much.
 *
 * @throws the reason of the signal
 */
export function keepUp(signal?: AbortSignal): Promise<void> | undefined {
  return output.keepUp(signal);
}

/** Prints a line for people on standard error. Control characters are escaped. */
export function note(line: string): void {
  statusLine?.hide();
  if (terminal.stdout) flush(); // so that a terminal shows both streams in order
  writeError(printable(line) + "\n");
}

/** Writes to standard error as it is: for the progress line, and for text of our own. */
export function writeError(text: string): void {
  errors.write(encoder.encode(text));
}

/** Registers what has to step aside before another line is written to the terminal. */
export function setStatusLine(line: { hide(): void } | undefined): void {
  statusLine = line;
}

/** Passes the gathered output on. */
export function flush(): void {
  due = false;
  if (gathered === "") return;
  if (terminal.stdout) statusLine?.hide();
  const text = gathered;
  gathered = "";
  output.write(encoder.encode(text));
}

/** Passes bytes to standard output. */
export function writeStdout(bytes: Uint8Array): void {
  flush();
  output.write(bytes);
}

/** Stops waiting for a reader that does not read, after Ctrl-C. */
export function stopWaiting(): void {
  interrupted.resolve();
}

/**
 * Waits until all output is written.
 *
 * @returns `gone` when the reader went away, or takes nothing after {@link stopWaiting}; the failure
 *   of standard output; undefined when all is written
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

/** Standard output for a file's bytes: waits for its reader without keeping all else waiting. */
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
