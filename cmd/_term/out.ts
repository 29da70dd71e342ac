/**
 * What the program says: data on standard output, all else on standard error.
 *
 * Lines for standard output are gathered and written within the same turn of the event loop or
 * when 64 KiB are there, whichever is first; {@link flush} writes what is left before the program
 * exits. When the reader of standard output goes (`| head`), {@link stdoutClosed} is aborted, and
 * what is printed after that goes nowhere.
 */
import { printable } from "./text.ts";

const closed = new AbortController();
const encoder = new TextEncoder();
const gatherUpTo = 64 * 1024;

let gathered = "";
let due = false;
let statusLine: { hide(): void } | undefined;

/** Is aborted when nobody reads standard output any more. */
export const stdoutClosed: AbortSignal = closed.signal;

/** Is a person reading standard output, standard error? Looked up once. */
export const terminal = {
  stdout: Deno.stdout.isTerminal(),
  stderr: Deno.stderr.isTerminal(),
  stdin: Deno.stdin.isTerminal(),
};

/** Prints a line of data on standard output. */
export function print(line: string): void {
  gathered += line + "\n";
  if (gathered.length >= gatherUpTo) flush();
  else if (!due) {
    due = true;
    // Not by setTimeout, at whose first use the runtime loads Node's timers: 8 ms.
    AbortSignal.timeout(0).addEventListener("abort", flush, { once: true });
  }
}

/** Prints an object as one line of JSON on standard output. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** Prints a line for people on standard error. Control characters are escaped. */
export function note(line: string): void {
  statusLine?.hide();
  writeError(printable(line) + "\n");
}

/** Writes to standard error as it is: for the progress line, and for text of our own. */
export function writeError(text: string): void {
  try {
    writeAll(Deno.stderr, encoder.encode(text));
  } catch {
    // Nobody is there to be told.
  }
}

/** Registers what has to step aside before another line is written to the terminal. */
export function setStatusLine(line: { hide(): void } | undefined): void {
  statusLine = line;
}

/** Writes what was printed and is not written yet. */
export function flush(): void {
  due = false;
  if (gathered === "") return;
  if (terminal.stdout) statusLine?.hide();
  const text = gathered;
  gathered = "";
  writeStdout(encoder.encode(text));
}

/** Writes bytes to standard output, all of them, or none once its reader is gone. */
export function writeStdout(bytes: Uint8Array): void {
  if (closed.signal.aborted) return;
  try {
    writeAll(Deno.stdout, bytes);
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    closed.abort();
  }
}

/** Standard output for a file's bytes: waits for its reader without keeping all else waiting. */
export const stdoutBytes = {
  async write(bytes: Uint8Array): Promise<number> {
    try {
      return await Deno.stdout.write(bytes);
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) closed.abort();
      throw error;
    }
  },
};

/** A pipe may take less than it is given, or, if its other end made it so, nothing right now. */
function writeAll(to: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += to.writeSync(bytes.subarray(at));
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
