/**
 * Logs to standard error: text on a terminal, otherwise one JSON object on each line.
 *
 * Records of accesses and of the audit trail are buffered for at most a quarter of a second and written as whole lines of at most
 * PIPE_BUF bytes, which a pipe takes atomically, so that the lines of workers don't mix. Other
 * records are written at once, after the buffered ones. {@link flushLog} must be called before an
 * isolate ends, and after {@link holdLog}.
 */
import {
  configureSync,
  getAnsiColorFormatter,
  getTextFormatter,
  jsonLinesFormatter,
  type LogRecord,
  type TextFormatter,
} from "@logtape/logtape";
import type { LogLevel } from "./log_level.ts";
import { accessCategory, type AccessFacts } from "../door/access.ts";

const accessDelayMs = 250;
/** How long a full pipe may block the isolate. */
const blockedMs = 2000;
/** Bytes dropped since the last complete write. */
let lostBytes = 0;
/** The buffered lines: at most as many bytes as Linux' PIPE_BUF. */
const buffer = new Uint8Array(4096);
let buffered = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
/** Whether records below warnings stay in the buffer. */
let held = false;
const encoder = new TextEncoder();
const plainText = getTextFormatter({ timestamp: "rfc3339" });
const coloredText = getAnsiColorFormatter({ timestamp: "rfc3339" });

/**
 * Makes the formatter of records. Text that clients choose, such as names, must be a property of a
 * record and never a part of its message. Line feeds and escape sequences in properties are escaped, so
 * that one record never looks like two.
 */
export function formatter(terminal: boolean, color: boolean): TextFormatter {
  const access = terminal ? accessText : accessJson;
  const other = !terminal ? jsonLinesFormatter : color ? coloredText : plainText;
  return (record) =>
    escapeUnsafe(isAccess(record) ? access(record) : String(other(withFlatMessage(record))));
}

/** Joins the parts of a record's message into one text. Its strings get no quotes, which JSON would escape. */
function withFlatMessage(record: LogRecord): LogRecord {
  const text = record.message.map((part, i) => i % 2 === 0 ? String(part) : toText(part)).join("");
  return { ...record, message: [text] };
}

function toText(value: unknown): string {
  // deno-lint-ignore no-control-regex
  if (typeof value === "string" && !/[\x00-\x1f]/.test(value)) return value;
  return JSON.stringify(value) ?? String(value);
}

/** Configures this isolate's logging; each isolate has its own. */
export function configureLog(level: LogLevel = "info"): void {
  const format = formatter(Deno.stderr.isTerminal(), !Deno.noColor);
  const lowestLevel = level === "warn" ? "warning" : level;
  configureSync({
    sinks: { stderr: (record) => append(format(record), mayWait(record)) },
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
    category: ["barge", "serve"],
    level: "info",
    timestamp: Date.now(),
    message: [message],
    rawMessage: message,
    properties,
  };
  append(formatter(Deno.stderr.isTerminal(), !Deno.noColor)(record), false);
}

/**
 * Keeps the records below warnings in the buffer until it is full or {@link flushLog} is called, so that
 * they do not come between the lines of a text for the operator.
 */
export function holdLog(): void {
  clearTimeout(timer);
  timer = undefined;
  held = true;
}

/** Writes the buffered records. */
export function flushLog(): void {
  clearTimeout(timer);
  timer = undefined;
  held = false;
  const length = buffered;
  buffered = 0;
  if (length > 0) write(buffer.subarray(0, length));
}

function append(line: string, mayWait: boolean): void {
  if (!bufferLine(line)) {
    flushLog();
    if (!bufferLine(line)) return write(encoder.encode(line));
  }
  if (!mayWait) flushLog();
  else if (!held) timer ??= setTimeout(flushLog, accessDelayMs);
}

function mayWait(record: LogRecord): boolean {
  return isAccess(record) || isAudit(record) || (held && isBelowWarning(record));
}

function isBelowWarning({ level }: LogRecord): boolean {
  return level === "trace" || level === "debug" || level === "info";
}

/** Adds a line to the buffer. @returns false if the line does not fit */
function bufferLine(line: string): boolean {
  const { read, written } = encoder.encodeInto(line, buffer.subarray(buffered));
  if (read < line.length) return false;
  buffered += written;
  return true;
}

/** Writes as many bytes as the pipe takes, and drops the rest. Logs the number of dropped bytes later. */
function write(bytes: Uint8Array): void {
  try {
    if (lostBytes > 0) {
      const gap = encoder.encode(
        `\n{"lost":"${lostBytes} bytes of the log were dropped: its reader was stuck"}\n`,
      );
      if (writeFor(0, gap) < gap.length) return void (lostBytes += bytes.length);
      lostBytes = 0;
    }
    lostBytes = bytes.length - writeFor(blockedMs, bytes);
  } catch { /* the log has no reader any more, and the server goes on */ }
}

/** Writes bytes. @param ms how long to wait for a full pipe @returns the number of bytes written */
function writeFor(ms: number, bytes: Uint8Array): number {
  const deadline = performance.now() + ms;
  let written = 0;
  while (written < bytes.length) {
    try {
      written += Deno.stderr.writeSync(bytes.subarray(written));
    } catch (error) {
      // Another process made the shared pipe non-blocking, and it is full.
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      if (performance.now() >= deadline) break;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
  return written;
}

function isAccess({ category }: LogRecord): boolean {
  return category.length === 2 && category[1] === accessCategory[1];
}

function isAudit({ category }: LogRecord): boolean {
  return category.length === 2 && category[1] === "audit";
}

function accessJson({ timestamp, level, properties }: LogRecord): string {
  const record = {
    "@timestamp": new Date(timestamp).toISOString(),
    level: level === "warning" ? "WARN" : "INFO",
    logger: accessCategory.join("."),
    ...properties,
  };
  return JSON.stringify(record) + "\n";
}

/** `2026-03-01T12:00:00.000Z anna 127.0.0.1:5000 native put "/home/x" 13 bytes 1.5 ms ok` */
function accessText({ timestamp, properties }: LogRecord): string {
  const { account, door, address, verb, path, to, bytes, ms, outcome } =
    properties as unknown as AccessFacts;
  const words = [
    new Date(timestamp).toISOString(),
    account ?? "-",
    address,
    door,
    verb === null ? "-" : /^[a-z-]+$/.test(verb) ? verb : JSON.stringify(verb),
    path === null ? "" : JSON.stringify(path),
    to === undefined ? "" : `to ${JSON.stringify(to)}`,
    bytes === 0 ? "" : `${bytes} bytes`,
    `${ms} ms`,
    outcome,
  ];
  return words.filter(Boolean).join(" ") + "\n";
}

/**
 * Escapes characters that JSON leaves and that end a line for some readers, or control a terminal:
 * DEL, C1 controls, line separators and marks of text direction.
 */
function escapeUnsafe(line: string): string {
  return line.replace(
    /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}
