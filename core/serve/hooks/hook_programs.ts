/**
 * Runs the operator's program that checks uploads, for the workers:
 *
 *   requested -> queued -> running -> accepted | refused | unavailable
 *          \-> queue full, time limit over or not started: unavailable
 *
 * Each check is answered within its time limit, which includes the wait in the queue, unless its worker dies
 * or cancels it; its program is then killed. A bounded number of programs runs at once, in the order of the
 * requests.
 */
import { getLogger } from "@logtape/logtape";
import { BargeError, typed } from "../../error.ts";
import type { UploadFacts } from "../../watch/hooks.ts";
import type { HookReply, HookRequest, Verdict } from "./hook_client.ts";
import { findProgram, runProgram } from "./program.ts";
import { firstLines } from "./program_output.ts";
import { TurnQueue } from "./turn_queue.ts";
import type { Ground } from "../ground.ts";

const log = getLogger(["barge", "hooks"]);

/** The limits of the operator's programs. */
export interface ProgramLimits {
  /** Time limit of a run, in ms. */
  readonly timeout: number;
  /** Number of programs of each sort that may run at once. */
  readonly jobs: number;
}

/** The operator's program, with its arguments. */
export interface HookOptions extends ProgramLimits {
  readonly checkUpload: readonly string[];
}

/** The JSON that a program reads. Its field names are frozen. */
type ProgramFacts = Omit<UploadFacts, "upload"> & {
  /** Absolute path of the staged bytes. */
  readonly file: string;
};

/** Finds the files that programs read. */
type Files = Pick<Ground, "uploadedFile" | "fetchUploaded">;

const maxWaitingChecks = 1024;
const checkTimedOut = "the check of the upload took too long";
const checkFailed = "the upload can't be checked now";

export class HookPrograms {
  readonly #options: HookOptions;
  readonly #checks: TurnQueue;
  /** Checks without a reply, by worker and id. */
  readonly #pending = new Map<object, Map<number, AbortController>>();

  /** @throws {BargeError} `usage` when the program does not exist, or is not executable */
  constructor(options: HookOptions) {
    this.#options = {
      ...options,
      checkUpload: resolveProgram(options.checkUpload, "--check-upload"),
    };
    this.#checks = new TurnQueue(options.jobs, maxWaitingChecks);
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
    message: Exclude<HookRequest, { type: "events-written" }>,
    ground: Files,
    reply: (message: HookReply) => void,
  ): void {
    const pending = this.#pending.get(worker);
    if (message.type === "cancel-check") return pending?.get(message.id)?.abort();
    const { facts, id } = message;
    if (pending?.has(id)) throw unexpectedRequest();
    void this.#answer(worker, id, facts, ground, reply);
  }

  /** Cancels the checks of a worker that has ended. */
  forget(worker: object): void {
    for (const check of this.#pending.get(worker)?.values() ?? []) check.abort();
    this.#pending.delete(worker);
  }

  /** Cancels all checks. */
  async stop(): Promise<void> {
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
      const { code, stderr } = await runProgram(command, encode(facts), stop);
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

  /** Returns the JSON for a program; undefined, with a record in the log, if it may not get this file. */
  #programFacts(upload: UploadFacts, ground: Files): ProgramFacts | undefined {
    const { event, account, path, upload: _, ...rest } = upload;
    try {
      return { event, account, path, file: ground.uploadedFile(upload), ...rest };
    } catch (error) {
      const why = typed(error).message;
      this.#warn("--check-upload is not run for {path} of {account}: {why}", upload, { why });
      return undefined;
    }
  }

  #warn(
    text: string,
    { account, path, sha256 }: Pick<UploadFacts, "account" | "path" | "sha256">,
    properties: object,
  ): void {
    log.warn(text, { account, path, sha256, ...properties });
  }
}

/**
 * Finds the program of a command line.
 *
 * @param op the option, for messages
 * @returns its absolute path, and its arguments
 * @throws {BargeError} `usage` when it does not exist, or is not executable
 */
export function resolveProgram([name, ...args]: readonly string[], op: string): string[] {
  try {
    return [findProgram(name), ...args];
  } catch (error) {
    throw typed(error, { op });
  }
}

/** Returns a line of JSON, as programs read it. */
export function encode(facts: object): Uint8Array<ArrayBuffer> {
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
