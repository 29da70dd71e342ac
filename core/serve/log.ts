/**
 * Where logs go: standard error, as text on a terminal, else a JSON object a line.
 *
 * Access records are gathered, for a quarter of a second at most, and written in pieces of whole
 * lines that a pipe takes in one go (PIPE_BUF), so that the workers' lines don't mix. Anything else
 * is written at once, behind what was gathered. Who ends an isolate calls {@link flushLog}.
 */
import {
  ansiColorFormatter,
  configureSync,
  defaultTextFormatter,
  jsonLinesFormatter,
  type LogRecord,
  type TextFormatter,
} from "@logtape/logtape";
import type { Level } from "./log_level.ts";
import { accessCategory, type AccessFacts } from "../door/access.ts";

const gatherFor = 250;
/** How long a full pipe may block the isolate, in ms. */
const stuckMs = 2000;
/** Bytes that were dropped since then. */
let lostBytes = 0;
const gathered = new Uint8Array(4096);
let used = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
const encoder = new TextEncoder();

/**
 * How records become text. What strangers chose, names above all, must be a property and never a
 * part of the message: then line feeds and escape sequences in it come out escaped, and no record
 * looks like two.
 */
export function formatter(terminal: boolean, color: boolean): TextFormatter {
  const access = terminal ? accessText : accessJson;
  const other = !terminal ? jsonLinesFormatter : color ? ansiColorFormatter : defaultTextFormatter;
  return (record) => safe(isAccess(record) ? access(record) : String(other(flat(record))));
}

/**
 * Formats a record as JSON; values stand in its message without quotes, which JSON would escape.
 */
function flat(record: LogRecord): LogRecord {
  const text = record.message.map((part, i) => i % 2 === 0 ? String(part) : inText(part)).join("");
  return { ...record, message: [text] };
}

function inText(value: unknown): string {
  // deno-lint-ignore no-control-regex
  if (typeof value === "string" && !/[\x00-\x1f]/.test(value)) return value;
  return JSON.stringify(value) ?? String(value);
}

/** Configures this isolate's logging; each isolate has its own. */
export function configureLog(level: Level = "info"): void {
  const format = formatter(Deno.stderr.isTerminal(), !Deno.noColor);
  const lowestLevel = level === "warn" ? "warning" : level;
  configureSync({
    sinks: { stderr: (record) => put(format(record), isAccess(record)) },
    loggers: [
      { category: "barge", lowestLevel, sinks: ["stderr"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["stderr"] },
    ],
    reset: true,
  });
}

/**
 * Writes a record at any log level, for facts that the operator must not miss.
 *
 * @param message plain text, without placeholders
 */
export function logAlways(message: string, properties: Record<string, unknown>): void {
  const record: LogRecord = {
    ...{ category: ["barge", "serve"], level: "info", timestamp: Date.now() },
    ...{ message: [message], rawMessage: message, properties },
  };
  put(formatter(Deno.stderr.isTerminal(), !Deno.noColor)(record), false);
}

/** Writes what is gathered. */
export function flushLog(): void {
  clearTimeout(timer);
  timer = undefined;
  const length = used;
  used = 0;
  if (length > 0) write(gathered.subarray(0, length));
}

function put(line: string, mayWait: boolean): void {
  if (!gather(line)) {
    flushLog();
    if (!gather(line)) return write(encoder.encode(line));
  }
  if (mayWait) timer ??= setTimeout(flushLog, gatherFor);
  else flushLog();
}

/** @returns whether there was room for it */
function gather(line: string): boolean {
  const { read, written } = encoder.encodeInto(line, gathered.subarray(used));
  if (read < line.length) return false;
  used += written;
  return true;
}

/**
 * Writes as much as the pipe takes. Records the number of dropped bytes once the reader goes on.
 */
function write(bytes: Uint8Array): void {
  try {
    if (lostBytes > 0) {
      const gap = encoder.encode(
        `\n{"lost":"${lostBytes} bytes of the log were dropped: its reader was stuck"}\n`,
      );
      if (writeWithin(gap, 0) < gap.length) return void (lostBytes += bytes.length);
      lostBytes = 0;
    }
    lostBytes = bytes.length - writeWithin(bytes, stuckMs);
  } catch { /* nobody reads the log any more: that is no reason to stop serving */ }
}

/** @param ms how long to wait for a full pipe @returns the number of bytes written */
function writeWithin(bytes: Uint8Array, ms: number): number {
  const by = performance.now() + ms;
  let done = 0;
  while (done < bytes.length) {
    try {
      done += Deno.stderr.writeSync(bytes.subarray(done));
    } catch (error) {
      // Another process made the shared pipe non-blocking, and it is full.
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      if (performance.now() >= by) break;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
  return done;
}

function isAccess({ category }: LogRecord): boolean {
  return category.length === 2 && category[1] === accessCategory[1];
}

function accessJson({ timestamp, level, properties }: LogRecord): string {
  const head = {
    "@timestamp": new Date(timestamp).toISOString(),
    level: level === "warning" ? "WARN" : "INFO",
    logger: accessCategory.join("."),
  };
  return JSON.stringify({ ...head, ...properties }) + "\n";
}

/** `2026-03-01 12:00:00.000 anna 127.0.0.1:5000 native put "/home/x" 13 bytes 1.5 ms ok` */
function accessText({ timestamp, properties }: LogRecord): string {
  const { account, door, address, verb, path, to, bytes, ms, outcome } =
    properties as unknown as AccessFacts;
  const words = [
    new Date(timestamp).toISOString().replace("T", " ").replace("Z", ""),
    account ?? "-",
    address,
    door,
    verb === null ? "-" : /^[a-z-]+$/.test(verb) ? verb : JSON.stringify(verb),
    ...path === null ? [] : [JSON.stringify(path)],
    ...to === undefined ? [] : ["to", JSON.stringify(to)],
    ...bytes === 0 ? [] : [`${bytes} bytes`],
    `${ms} ms`,
    outcome,
  ];
  return words.join(" ") + "\n";
}

/**
 * Escapes what JSON leaves as it is and some reader takes for the end of a line, or a terminal for
 * a command: DEL, C1 controls, line separators and marks of the direction of writing.
 */
function safe(line: string): string {
  return line.replace(
    /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}
