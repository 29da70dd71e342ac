/** Runs a verb as a job of cron: one run at a time, with a log, and a program that is run on failure. */
import { BargeError, typed } from "../../core/error.ts";
import { findProgram, runProgram } from "../../core/serve/hooks/program.ts";
import { wordsOf } from "../_serve/hooks.ts";
import { failureOf } from "../_term/fail.ts";
import { copyNotes, note } from "../_term/out.ts";
import { JobLock } from "./job_lock.ts";
import type { JobChoice } from "./job_options.ts";

/** The most messages that a program for failures gets. */
const maxMessages = 20;
const notifyTimeoutMs = 60_000;

/** The failure that a program gets. Field names are frozen. */
interface Notice {
  readonly verb: string;
  readonly code: number;
  readonly started: string;
  readonly seconds: number;
  /** The last messages of the run. */
  readonly messages: readonly string[];
}

/**
 * Runs a verb under its lock. Logs it, and runs the program for failures.
 *
 * @param run returns the exit code
 * @throws {BargeError} `exists` while the lock is held; `usage` for a program that does not exist; the
 *   failure to open the log, and that of `run`
 */
export async function runJob(
  verb: string,
  choice: Partial<JobChoice>,
  run: () => Promise<number>,
): Promise<number> {
  const { lock, log, notify } = choice;
  const program = notify === undefined ? undefined : findNotified(notify);
  using file = log === undefined ? undefined : new JobLog(log);
  const messages: string[] = [];
  const add = (line: string) => {
    file?.add(line);
    messages.push(line);
    if (messages.length > maxMessages) messages.shift();
  };
  copyNotes(add);
  const started = new Date();
  file?.add(`${verb}: started`);
  const end = async (code: number) => {
    const seconds = (Date.now() - started.getTime()) / 1000;
    file?.add(`${verb}: ended with exit code ${code} after ${seconds.toFixed(1)} s`);
    if (code === 0 || !program) return;
    await send(program, { verb, code, started: started.toISOString(), seconds, messages });
  };
  try {
    using _lock = lock === undefined ? undefined : await JobLock.take(lock, verb);
    const code = await run();
    await end(code);
    return code;
  } catch (cause) {
    const { code, message } = failureOf(cause, verb);
    add(message);
    await end(code);
    throw cause;
  } finally {
    copyNotes(undefined);
  }
}

/** A log to which runs append; each line has its time and the process. */
class JobLog implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #path: string;
  #failed = false;

  constructor(path: string) {
    this.#path = path;
    try {
      this.#file = Deno.openSync(path, { append: true, create: true, mode: 0o600 });
    } catch (cause) {
      throw typed(cause, { op: "open log", path });
    }
  }

  add(line: string): void {
    if (this.#failed) return;
    const text = `${new Date().toISOString()} [${Deno.pid}] ${line}\n`;
    let rest = new TextEncoder().encode(text);
    try {
      while (rest.length > 0) rest = rest.subarray(this.#file.writeSync(rest));
    } catch (cause) {
      this.#failed = true;
      note(`barge: ${typed(cause, { op: "write log", path: this.#path })}`);
    }
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

function findNotified(line: string): readonly string[] {
  const words = wordsOf(line);
  if (!words) {
    const why = `${JSON.stringify(line)} is not a program and its arguments`;
    throw new BargeError("usage", why, {
      op: "--notify",
      hint: "no shell reads it; for one write sh -c '...'",
    });
  }
  try {
    return [findProgram(words[0]), ...words.slice(1)];
  } catch (cause) {
    throw typed(cause, { op: "--notify" });
  }
}

/** Runs the program for failures. Its own failure is only noted. */
async function send(program: readonly string[], notice: Notice): Promise<void> {
  const input = new TextEncoder().encode(JSON.stringify(notice) + "\n");
  try {
    const { code, stderr } = await runProgram(program, input, AbortSignal.timeout(notifyTimeoutMs));
    if (code === 0) return;
    note(`barge: --notify: ${program[0]} ended with exit code ${code}: ${stderr.split("\n")[0]}`);
  } catch (cause) {
    const why = cause instanceof BargeError || cause instanceof Error
      ? cause.message
      : String(cause);
    note(`barge: --notify: ${program[0]}: ${why}`);
  }
}
