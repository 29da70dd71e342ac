/**
 * Runs the operator's programs for the workers:
 *
 *   check    requested -> queued -> running -> accepted | refused | unavailable
 *                     \-> queue full, time limit over or not started: unavailable
 *   commit   requested -> queued -> running -> ended
 *                     \-> queue full: skipped, counted and logged
 *
 * Each check is answered within its time limit, which includes the wait in the queue, unless its worker dies
 * or cancels it; its program is then killed. A bounded number of programs of each sort runs at once, in
 * the order of the requests. The queues are in memory only: a server that is killed never runs the commit
 * hooks in them.
 */
import { getLogger } from "@logtape/logtape";
import { BargeError, typed } from "../error.ts";
import type { UploadFacts } from "../watch/hooks.ts";
import type { HookReply, HookRequest, OfferedHooks, Verdict } from "./hook_client.ts";
import { findProgram, runProgram } from "./program.ts";
import { firstLines } from "./program_output.ts";
import { TurnQueue } from "./turn_queue.ts";
import type { Ground } from "./ground.ts";

const log = getLogger(["barge", "hooks"]);

/** The operator's programs, each with its arguments. */
export interface HookOptions {
  readonly onCommit?: readonly string[];
  readonly checkUpload?: readonly string[];
  /** Time limit of a run, in ms. */
  readonly timeout: number;
  /** Number of programs of each sort that may run at once. */
  readonly jobs: number;
}

/** The JSON that a program reads. Its field names are frozen. */
export type ProgramFacts = Omit<UploadFacts, "upload"> & {
  /** Absolute path of the bytes: staged ones in a check, the file after the commit. */
  readonly file: string;
};

/** Finds the files that programs read. */
type Files = Pick<Ground, "uploadedFile" | "fetchUploaded">;

const maxWaitingChecks = 1024;
/** The most bytes of JSON for the waiting commit hooks: enough for about twenty thousand uploads. */
const maxWaitingCommitBytes = 8 * 1024 * 1024;
const maxLoggedCharacters = 1000;
const checkTimedOut = "the check of the upload took too long";
const checkFailed = "the upload can't be checked now";

export class HookPrograms {
  readonly #options: HookOptions;
  readonly #checks: TurnQueue;
  readonly #commits: TurnQueue;
  /** Checks without a reply, by worker and id. */
  readonly #pending = new Map<object, Map<number, AbortController>>();
  readonly #stop = new AbortController();
  /** The number of commit hooks skipped since the queue was last empty. */
  #skipped = 0;

  /** @throws {BargeError} `usage` when a program does not exist, or is not executable */
  constructor(options: HookOptions) {
    const resolve = (command: readonly string[] | undefined, op: string) => {
      if (!command) return undefined;
      try {
        return [findProgram(command[0]), ...command.slice(1)];
      } catch (error) {
        throw typed(error, { op });
      }
    };
    this.#options = {
      ...options,
      onCommit: resolve(options.onCommit, "--on-commit"),
      checkUpload: resolve(options.checkUpload, "--check-upload"),
    };
    this.#checks = new TurnQueue(options.jobs, maxWaitingChecks);
    this.#commits = new TurnQueue(options.jobs, maxWaitingCommitBytes);
  }

  get offered(): OfferedHooks {
    const { onCommit, checkUpload } = this.#options;
    return { check: checkUpload !== undefined, committed: onCommit !== undefined };
  }

  /**
   * Handles a worker's request.
   *
   * @param ground finds the uploaded files
   * @param reply sends a message to the worker
   * @throws {BargeError} `protocol` for a request that the worker may not send now
   */
  receive(
    worker: object,
    message: HookRequest,
    ground: Files,
    reply: (message: HookReply) => void,
  ): void {
    const pending = this.#pending.get(worker);
    if (message.type === "cancel-check") return pending?.get(message.id)?.abort();
    const { facts } = message;
    if (message.type === "committed") {
      if (!this.offered.committed) throw unexpectedRequest();
      return void this.#commit(facts, ground);
    }
    const { id } = message;
    if (!this.offered.check || pending?.has(id)) throw unexpectedRequest();
    void this.#answer(worker, id, facts, ground, reply);
  }

  /** Cancels the checks of a worker that has ended. */
  forget(worker: object): void {
    for (const check of this.#pending.get(worker)?.values() ?? []) check.abort();
    this.#pending.delete(worker);
  }

  /** Runs the queued commits for at most `graceMs`, then kills the programs that still run. */
  async stop(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#stop.abort(), graceMs);
    await this.#commits.drained();
    clearTimeout(timer);
    for (const worker of this.#pending.keys()) this.forget(worker);
    await this.#checks.drained();
  }

  async #answer(
    worker: object,
    id: number,
    facts: UploadFacts,
    ground: Files,
    reply: (message: HookReply) => void,
  ): Promise<void> {
    const canceled = new AbortController();
    const pending = this.#pending.get(worker) ?? new Map<number, AbortController>();
    this.#pending.set(worker, pending.set(id, canceled));
    const verdict = await this.#check(facts, ground, canceled.signal);
    pending.delete(id);
    if (pending.size === 0) this.#pending.delete(worker);
    if (!canceled.signal.aborted) reply({ type: "checked", id, verdict });
  }

  async #check(upload: UploadFacts, ground: Files, canceled: AbortSignal): Promise<Verdict> {
    const facts = this.#programFacts(upload, ground);
    if (!facts) return unavailable(checkFailed);
    const { checkUpload: command, timeout } = this.#options;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeout);
    const stop = AbortSignal.any([canceled, late.signal]);
    try {
      using turn = await this.#checks.enter(1, stop);
      if (!turn) return unavailable("too many uploads wait to be checked");
      await using _fetched = await ground.fetchUploaded(upload, facts.file, stop);
      const { code, stderr } = await runProgram(command!, encode(facts), stop);
      return code === 0 ? null : refused(firstLines(stderr));
    } catch (error) {
      if (canceled.aborted) return unavailable("the check was canceled");
      const why = late.signal.aborted ? checkTimedOut : String(error);
      this.#warn("can't check the upload of {path} by {account}: {why}", facts, { why });
      return unavailable(late.signal.aborted ? checkTimedOut : checkFailed);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Runs the commit hook of an upload. Never throws. */
  async #commit(upload: UploadFacts, ground: Files): Promise<void> {
    const facts = this.#programFacts(upload, ground);
    if (!facts) return;
    const input = encode(facts);
    {
      using turn = await this.#commits.enter(input.length);
      if (!turn) return this.#skip(facts);
      if (this.#stop.signal.aborted) this.#skipped++;
      else await this.#run(facts, input, (stop) => ground.fetchUploaded(upload, facts.file, stop));
    }
    if (this.#commits.length === 0) this.#logSkipped();
  }

  /** Returns the JSON for a program; undefined, with a record in the log, if it may not get this file. */
  #programFacts(upload: UploadFacts, ground: Files): ProgramFacts | undefined {
    const { event, account, path, upload: _, ...rest } = upload;
    try {
      return { event, account, path, file: ground.uploadedFile(upload), ...rest };
    } catch (error) {
      const why = typed(error).message;
      const program = event === "check" ? "--check-upload" : "--on-commit";
      this.#warn("{program} is not run for {path} of {account}: {why}", upload, { program, why });
      return undefined;
    }
  }

  async #run(
    facts: ProgramFacts,
    input: Uint8Array<ArrayBuffer>,
    fetch: (stop: AbortSignal) => Promise<AsyncDisposable>,
  ): Promise<void> {
    const { onCommit: command, timeout } = this.#options;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeout);
    const { signal } = this.#stop;
    try {
      const stop = AbortSignal.any([late.signal, signal]);
      await using _fetched = await fetch(stop);
      const { code, stderr } = await runProgram(command!, input, stop);
      if (code === 0) return;
      const more = { code, said: stderr.slice(0, maxLoggedCharacters) };
      this.#warn("--on-commit ended with {code} for {path} of {account}: {said}", facts, more);
    } catch (error) {
      const why = late.signal.aborted
        ? `it was killed after ${timeout / 1000} s`
        : signal.aborted
        ? "it was killed because the server is stopping"
        : String(error);
      this.#warn("--on-commit failed for {path} of {account}: {why}", facts, { why });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Logs only the first skipped commit hook; {@link #logSkipped} logs the number of all. */
  #skip(facts: ProgramFacts): void {
    if (this.#skipped++ > 0) return;
    const why = "too many uploads wait for it";
    this.#warn("--on-commit is skipped for {path} of {account}: {why}", facts, { why });
  }

  #logSkipped(): void {
    if (this.#skipped === 0) return;
    log.warn("--on-commit was skipped for {count} uploads", { count: this.#skipped });
    this.#skipped = 0;
  }

  #warn(
    text: string,
    { account, path, sha256 }: Pick<UploadFacts, "account" | "path" | "sha256">,
    properties: object,
  ): void {
    log.warn(text, { account, path, sha256, ...properties });
  }
}

function encode(facts: ProgramFacts): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(facts) + "\n");
}

/** Returns the error for a request for a hook that is not configured, or with an id that is in use. */
export function unexpectedRequest(): BargeError {
  return new BargeError("protocol", "unexpected hook request", { op: "read message" });
}

function refused(reason: string): Verdict {
  return { kind: "refused", message: reason ? `not accepted: ${reason}` : "it was not accepted" };
}

function unavailable(message: string): Verdict {
  return { kind: "unavailable", message };
}
