/**
 * Runs the regular verification (core/storage/verify/verification.ts) in the supervisor, which has no clients.
 *
 * A round goes on where an earlier start, or another node, has left it. It repairs nothing: it reports through the
 * log, the metrics and the audit trail. A failure of the storage ends the attempt; the next one goes on.
 *
 * The progress is saved at intervals, also while one file takes long: on shared storage that renews the lease. The
 * saved numbers are those of the last whole file, so that an attempt that goes on counts no byte twice.
 */
import { getLogger } from "@logtape/logtape";
import { delay } from "../../net/delay.ts";
import { operator } from "../../storage/audit/audit.ts";
import {
  isBad,
  type VerificationState,
  type VerifyProgress,
} from "../../storage/verify/verification.ts";
import { verifyGauges } from "../../watch/metrics.ts";
import { attempt } from "../attempt.ts";
import type { Ground } from "../ground.ts";

const log = getLogger(["barge", "verify"]);

export interface RegularVerification {
  /** The time from the end of a round to the next one, in ms. */
  readonly everyMs: number;
  readonly maxBytesPerSecond: number;
}

/** The interval at which the progress is saved, in ms. A lease is much longer. */
const saveIntervalMs = 2_000;
/** The longest interval at which a server looks whether a round is due, in ms. */
const maxPauseMs = 60_000;
/** The most problems of one attempt that are logged. */
const maxLoggedProblems = 1000;

/** Another node has taken the round. */
class RoundTaken extends Error {}

/** Verifies at intervals, once {@link change} has named them. */
export class RegularVerifier {
  readonly #ground: Ground;
  readonly #stopping: AbortSignal;
  #options: RegularVerification | undefined;
  #changed = new AbortController();
  #running: Promise<void> = Promise.resolve();

  /** @param stopping ends the verification when the server stops */
  constructor(ground: Ground, stopping: AbortSignal) {
    this.#ground = ground;
    this.#stopping = stopping;
  }

  /**
   * Verifies with other options from now on. A round under way goes on with them where it is. The promise resolves
   * when the verification with the former options has ended.
   *
   * @param options undefined: no verification
   */
  async change(options: RegularVerification | undefined): Promise<void> {
    if (JSON.stringify(options) === JSON.stringify(this.#options)) return;
    this.#options = options;
    this.#changed.abort();
    await this.#running;
    if (options !== this.#options) return; // a later call, such as that of the end, decides
    if (!options) return hideState(this.#ground);
    this.#changed = new AbortController();
    this.#running = this.#run(options, AbortSignal.any([this.#stopping, this.#changed.signal]));
  }

  async #run(options: RegularVerification, signal: AbortSignal): Promise<void> {
    const ground = this.#ground;
    const pauseMs = Math.min(options.everyMs, maxPauseMs);
    while (!signal.aborted) {
      await attempt("can't verify the files; the next attempt goes on", async () => {
        await verifyWhenDue(ground, options, signal);
      });
      await attempt("can't read the state of the verification", async () => {
        showState(ground, await ground.verification.read(), options);
      });
      await delay(pauseMs, signal).catch(() => {/* it is stopped */});
    }
  }
}

/** Runs the round that is due, or under way. */
async function verifyWhenDue(
  ground: Ground,
  options: RegularVerification,
  signal: AbortSignal,
): Promise<void> {
  const { verification } = ground;
  const begun = await verification.take(options.everyMs);
  if (!begun) return;
  showState(ground, begun, options);
  const { position, files, bytes } = begun;
  const step = position === "" ? "begins" : "goes on";
  log.info(`the verification of all files ${step}`, { files, bytes });
  const round = new Round(ground, begun, options);
  try {
    using saving = round.saveRegularly();
    const stop = AbortSignal.any([signal, saving.taken]);
    await verification.check({
      after: position,
      maxBytesPerSecond: options.maxBytesPerSecond,
      signal: stop,
      onChecked: (position, files) => round.checked(position, files),
      onBytes: (bytes) => round.read(bytes),
      onProblem: (problem) => round.report(problem),
    });
    stop.throwIfAborted();
    await round.finish();
  } catch (error) {
    if (error instanceof RoundTaken) return log.info("another node goes on with the verification");
    await attempt("can't save the progress of the verification", async () => {
      await round.save();
      await verification.release();
    });
    if (!signal.aborted) throw error;
  }
}

class Round {
  readonly #ground: Ground;
  readonly #options: RegularVerification;
  readonly #began: VerificationState;
  #progress: { -readonly [K in keyof VerifyProgress]: VerifyProgress[K] };
  /** The progress at the end of the last whole file. */
  #whole: VerifyProgress;
  #problems = 0;

  constructor(ground: Ground, began: VerificationState, options: RegularVerification) {
    this.#ground = ground;
    this.#began = began;
    this.#options = options;
    const { position, files, bytes, bad } = began;
    this.#progress = { position, files, bytes, bad };
    this.#whole = { ...this.#progress };
  }

  /** Saves the progress at intervals, until disposal. @returns `taken`, aborted where another node has taken the round */
  saveRegularly(): Disposable & { readonly taken: AbortSignal } {
    const taken = new AbortController();
    let saving: Promise<void> | undefined;
    const timer = setInterval(() => {
      saving ??= attempt("can't save the progress of the verification", async () => {
        await this.save().catch((error) => {
          if (!(error instanceof RoundTaken)) throw error;
          taken.abort(error);
        });
      }).finally(() => saving = undefined);
    }, saveIntervalMs);
    return { taken: taken.signal, [Symbol.dispose]: () => clearInterval(timer) };
  }

  /** Counts checked files. */
  checked(position: string, files: number): void {
    this.#progress.position = position;
    this.#progress.files += files;
    this.#whole = { ...this.#progress };
  }

  read(bytes: number): void {
    this.#progress.bytes += bytes;
  }

  report(problem: Parameters<typeof isBad>[0]): void {
    if (isBad(problem)) this.#progress.bad++;
    this.#problems++;
    if (this.#problems > maxLoggedProblems) return;
    const { kind, path, what, expected, found } = problem;
    log[isBad(problem) ? "error" : "warn"]("{path}: {what}", { path, what, kind, expected, found });
    if (this.#problems < maxLoggedProblems) return;
    log.warn("further problems are not logged; `barge verify` lists all");
  }

  /** Saves the progress. @throws {RoundTaken} */
  async save(): Promise<void> {
    if (!await this.#ground.verification.save(this.#whole)) throw new RoundTaken();
    this.#show({ ...this.#began, ...this.#progress });
  }

  /** @throws {RoundTaken} */
  async finish(): Promise<void> {
    const { position: _, ...counts } = this.#progress;
    if (!await this.#ground.verification.finish(counts)) throw new RoundTaken();
    const { files, bytes, bad } = counts;
    const result = "all files were verified: {files} files, {bytes} bytes, {bad} bad files";
    log[bad > 0 ? "error" : "info"](result, { files, bytes, bad });
    await attempt("can't record the verification", async () => {
      const entry = { event: "storage-verified", account: null, by: operator } as const;
      await this.#ground.audit.add({ ...entry, details: { files, bytes, bad } });
    });
  }

  #show(state: VerificationState): void {
    showState(this.#ground, state, this.#options);
  }
}

/** Removes the state from the metrics. */
function hideState({ metrics }: Ground): void {
  for (const gauge of verifyGauges) metrics.setGauge(gauge, undefined);
}

/** Shows the state in the metrics: the numbers of the round under way, or of the last one. */
function showState(
  { metrics }: Ground,
  { began, finished, last, ...counts }: VerificationState,
  { everyMs }: RegularVerification,
): void {
  const shown = began === null ? last ?? counts : counts;
  metrics.setGauge("verifyInterval", everyMs);
  metrics.setGauge("verifyFinished", finished ?? undefined);
  metrics.setGauge("verifyDue", finished === null ? began ?? Date.now() : finished + everyMs);
  metrics.setGauge("verifyFiles", shown.files);
  metrics.setGauge("verifyBytes", shown.bytes);
  // Bad files of the last round count until a later round has passed without them.
  metrics.setGauge("verifyBad", Math.max(shown.bad, last?.bad ?? 0));
}
