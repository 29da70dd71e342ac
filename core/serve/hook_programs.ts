/**
 * The operator's programs, run by the supervisor for the workers, which may run none.
 *
 *   check    asked by a worker -> waits its turn -> runs -> answered: accepted | refused | unavailable
 *                             \-> no room, or out of time, or not to be started: unavailable
 *   commit   told by a worker -> waits its turn -> runs; a worker waits for nothing
 *                            \-> no room: lost, counted, logged
 *
 * Every check that is asked is answered, within the time limit, its wait included, unless its worker
 * dies or takes it back: then its program is killed. So many programs of each sort run at once. They
 * are started in the order in which they were asked for; what waits is in memory only, so that a
 * server that is killed forgets whom it has not told yet.
 */
import { getLogger } from "@logtape/logtape";
import { BargeError, typed } from "../error.ts";
import type { UploadFacts } from "../watch/hooks.ts";
import { Line } from "./turn_queue.ts";
import { findProgram, runProgram } from "./program.ts";
import type { Vault } from "../local/vault/vault.ts";
import { firstLines } from "./program_output.ts";
import { uploadedFile } from "./uploaded_file.ts";

const log = getLogger(["barge", "hooks"]);

/** What the operator wants to be run, each a program and its arguments. */
export interface HookOptions {
  readonly onCommit?: readonly string[];
  readonly checkUpload?: readonly string[];
  /** How long one may take, in ms. */
  readonly timeout: number;
  /** How many of each sort may run at once. */
  readonly jobs: number;
}

/** Which of them there are: what a worker has to know. */
export interface Offered {
  readonly check: boolean;
  readonly committed: boolean;
}

/** Why an upload is not accepted, or can't be; null: it is. */
export type Verdict = { readonly kind: "refused" | "unavailable"; readonly message: string } | null;

/** The JSON that a program reads: the names are frozen. */
export type ProgramFacts = Omit<UploadFacts, "upload"> & {
  /** Where the bytes lie now, absolute: staged in a check, in place after the commit. */
  readonly file: string;
};

export type FromDesk =
  | { readonly type: "check"; readonly id: number; readonly facts: UploadFacts }
  /** The answer is of no use any more. */
  | { readonly type: "uncheck"; readonly id: number }
  | { readonly type: "committed"; readonly facts: UploadFacts };

export interface ToDesk {
  readonly type: "checked";
  readonly id: number;
  readonly verdict: Verdict;
}

/** So many checks may wait for their turn. */
const mostChecks = 1024;
/** So many bytes of facts may wait to be told: some twenty thousand uploads. */
const mostTold = 8 * 1024 * 1024;
const tooLate = "the check of the upload took too long";

export class HookPrograms {
  readonly #options: HookOptions;
  readonly #checks: Line;
  readonly #commits: Line;
  /** What is asked and not answered, of each worker. */
  readonly #asked = new Map<object, Map<number, AbortController>>();
  readonly #stop = new AbortController();
  /** Uploads that nobody was told of since the line was last empty. */
  #lost = 0;

  /** @throws {BargeError} `usage` when a program is not there, or not executable */
  constructor(options: HookOptions) {
    const { jobs } = options;
    const found = (command: readonly string[] | undefined, op: string) => {
      if (!command) return undefined;
      try {
        return [findProgram(command[0]), ...command.slice(1)];
      } catch (error) {
        throw error instanceof BargeError ? error.with({ op }) : error;
      }
    };
    this.#options = {
      ...options,
      onCommit: found(options.onCommit, "--on-commit"),
      checkUpload: found(options.checkUpload, "--check-upload"),
    };
    this.#checks = new Line(jobs, mostChecks);
    this.#commits = new Line(jobs, mostTold);
  }

  get offered(): Offered {
    const { onCommit, checkUpload } = this.#options;
    return { check: checkUpload !== undefined, committed: onCommit !== undefined };
  }

  /**
   * Takes what a worker says.
   *
   * @param worker who it is
   * @param vault of the data directory: finds the files that the messages are about
   * @param reply tells it something
   * @throws {BargeError} `protocol` for a message that no sound worker sends
   */
  take(worker: object, message: FromDesk, vault: Vault, reply: (message: ToDesk) => void): void {
    if (message.type === "uncheck") return this.#asked.get(worker)?.get(message.id)?.abort();
    const { facts } = message;
    if (message.type === "committed") {
      if (!this.offered.committed) throw unasked();
      return void this.#commit(facts, vault);
    }
    const { id } = message;
    if (!this.offered.check || this.#asked.get(worker)?.has(id)) throw unasked();
    void this.#answer(worker, id, facts, vault, reply);
  }

  /** A worker is gone: nobody wants what it has asked for. */
  forget(worker: object): void {
    for (const asked of this.#asked.get(worker)?.values() ?? []) asked.abort();
    this.#asked.delete(worker);
  }

  /** Tells of the uploads that there were, for so many ms at most, and kills what runs then. */
  async stop(within: number): Promise<void> {
    const out = setTimeout(() => this.#stop.abort(), within);
    await this.#commits.empty();
    clearTimeout(out);
    for (const worker of this.#asked.keys()) this.forget(worker);
    await this.#checks.empty();
  }

  async #answer(
    worker: object,
    id: number,
    facts: UploadFacts,
    vault: Vault,
    reply: (message: ToDesk) => void,
  ): Promise<void> {
    const taken = new AbortController();
    const asked = this.#asked.get(worker) ?? new Map<number, AbortController>();
    this.#asked.set(worker, asked.set(id, taken));
    const verdict = await this.#check(facts, vault, taken.signal);
    asked.delete(id);
    if (asked.size === 0) this.#asked.delete(worker);
    if (!taken.signal.aborted) reply({ type: "checked", id, verdict });
  }

  async #check(given: UploadFacts, vault: Vault, taken: AbortSignal): Promise<Verdict> {
    const facts = this.#withFile(given, vault);
    if (!facts) return unavailable("the upload can't be checked now");
    const { checkUpload: command, timeout } = this.#options;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeout);
    const stop = AbortSignal.any([taken, late.signal]);
    let leave: (() => void) | undefined;
    try {
      leave = await this.#checks.enter(1, stop);
      if (!leave) return unavailable("too many uploads wait to be checked");
      const { code, said } = await runProgram(command!, encode(facts), stop);
      return code === 0 ? null : refused(firstLines(said));
    } catch (error) {
      if (taken.aborted) return unavailable("nobody waits for it");
      const why = late.signal.aborted ? tooLate : String(error);
      this.#warn("can't check the upload of {path} by {account}: {why}", facts, { why });
      return unavailable(late.signal.aborted ? tooLate : "the upload can't be checked now");
    } finally {
      clearTimeout(timer);
      leave?.();
    }
  }

  async #commit(given: UploadFacts, vault: Vault): Promise<void> {
    const facts = this.#withFile(given, vault);
    if (facts) await this.#tell(facts);
  }

  /** @returns undefined, and logs why, where no such file can be handed to a program */
  #withFile(given: UploadFacts, vault: Vault): ProgramFacts | undefined {
    const { event, account, path, upload: _, ...more } = given;
    try {
      return { event, account, path, file: uploadedFile(vault, given), ...more };
    } catch (error) {
      const why = typed(error).message;
      const program = event === "check" ? "--check-upload" : "--on-commit";
      this.#warn("{program} is not run for {path} of {account}: {why}", given, { program, why });
      return undefined;
    }
  }

  /** Never throws, and keeps no worker waiting. */
  async #tell(facts: ProgramFacts): Promise<void> {
    const input = encode(facts);
    const leave = await this.#commits.enter(input.length);
    if (!leave) return this.#lose(facts);
    try {
      if (this.#stop.signal.aborted) this.#lost++;
      else await this.#run(facts, input);
    } finally {
      leave();
      if (this.#commits.length === 0) this.#found();
    }
  }

  async #run(facts: ProgramFacts, input: Uint8Array<ArrayBuffer>): Promise<void> {
    const { onCommit: command, timeout } = this.#options;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeout);
    const { signal } = this.#stop;
    try {
      const stop = AbortSignal.any([late.signal, signal]);
      const { code, said } = await runProgram(command!, input, stop);
      if (code === 0) return;
      const more = { code, said: said.slice(0, 1000) };
      this.#warn("--on-commit ended with {code} for {path} of {account}: {said}", facts, more);
    } catch (error) {
      const why = late.signal.aborted
        ? `it was killed after ${timeout / 1000} s`
        : signal.aborted
        ? "it was killed, the server is stopping"
        : String(error);
      this.#warn("--on-commit failed for {path} of {account}: {why}", facts, { why });
    } finally {
      clearTimeout(timer);
    }
  }

  #lose(facts: ProgramFacts): void {
    if (this.#lost++ > 0) return;
    const why = "too many uploads wait for it";
    this.#warn("--on-commit is not told of {path} of {account}, and more: {why}", facts, { why });
  }

  /** The line is empty: what was lost while it was full is summed up. */
  #found(): void {
    if (this.#lost > 0) {
      log.warn("--on-commit was not told of {count} uploads", { count: this.#lost });
    }
    this.#lost = 0;
  }

  #warn(
    text: string,
    { account, path, sha256 }: Pick<UploadFacts, "account" | "path" | "sha256">,
    more: object,
  ): void {
    log.warn(text, { account, path, sha256, ...more });
  }
}

function encode(facts: ProgramFacts): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(facts) + "\n");
}

/** The worker was not asked to send it, or has sent it before. */
function unasked(): BargeError {
  return new BargeError("protocol", "nobody asked for it", { op: "read message" });
}

function refused(said: string): Verdict {
  return { kind: "refused", message: said ? `not accepted: ${said}` : "it was not accepted" };
}

function unavailable(message: string): Verdict {
  return { kind: "unavailable", message };
}
