/** Keeps this node in the list of nodes: a small statement, and a request to the bucket, every few seconds. */
import { once } from "node:events";
import { getLogger } from "@logtape/logtape";
import type { BargeError } from "../error.ts";
import { NewerTables } from "../shared/database/migrate.ts";
import { Membership, type NodeBeat } from "../shared/nodes/membership.ts";
import type { SharedStore } from "../shared/store.ts";
import type { DoorAddresses } from "../watch/nodes.ts";
import { attempt } from "./attempt.ts";

const log = getLogger(["barge", "serve"]);

/** The time between two reports, in ms. */
const reportIntervalMs = 5_000;
/** The longest wait for the bucket, in ms. */
const probeTimeoutMs = 4_000;
/** The bucket counts as lost if it could not be used for this time, in ms. */
const bucketLostMs = 10_000;

export interface ReporterOptions {
  readonly doors: DoorAddresses;
  /** Aborted when the node begins to stop. */
  readonly stop: AbortSignal;
  /** Called where the tables have become too new for this barge, which must end. */
  readonly onExcluded: (error: BargeError) => void;
}

export class NodeReporter implements AsyncDisposable {
  readonly #store: SharedStore;
  readonly #membership: Membership;
  readonly #stop: AbortSignal;
  readonly #onExcluded: (error: BargeError) => void;
  readonly #ended = new AbortController();
  readonly #began = performance.now();
  readonly #timer: ReturnType<typeof setInterval>;
  #running: Promise<void> | undefined;
  #reported = true;
  #moved: { readonly at: number; readonly received: number; readonly sent: number };
  #bucketSeen = performance.now();
  #bucketLost = false;

  private constructor(store: SharedStore, { doors, stop, onExcluded }: ReporterOptions) {
    const { node, version = "" } = store.settings;
    this.#store = store;
    this.#membership = new Membership(store.storage.parts.db, { ...node, version, doors });
    this.#stop = stop;
    this.#onExcluded = onExcluded;
    this.#moved = { at: this.#began, ...store.metrics.totals() };
    this.#timer = setInterval(() => this.#report(), reportIntervalMs);
    stop.addEventListener("abort", this.#report, { once: true });
  }

  /**
   * Adds the node to the list. It is removed by the disposal.
   *
   * @throws {BargeError} as `Membership.register`
   */
  static async start(store: SharedStore, options: ReporterOptions): Promise<NodeReporter> {
    const reporter = new NodeReporter(store, options);
    try {
      await reporter.#membership.register(reporter.#beat());
      return reporter;
    } catch (error) {
      reporter.#end();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await this.#running;
    if (!this.#reported) return; // the database does not answer
    await attempt("can't leave the list of nodes", () => this.#membership.remove());
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#stop.removeEventListener("abort", this.#report);
    this.#ended.abort();
  }

  readonly #report = (): void => {
    this.#running ??= this.#reportOnce().finally(() => this.#running = undefined);
  };

  async #reportOnce(): Promise<void> {
    if (!this.#stop.aborted) await this.#probeBucket();
    try {
      await this.#membership.report(this.#beat());
      this.#reported = true;
    } catch (error) {
      if (error instanceof NewerTables) this.#onExcluded(error);
      if (this.#reported) log.warn("can't report to the list of nodes: {why}", { why: `${error}` });
      this.#reported = false;
    }
  }

  async #probeBucket(): Promise<void> {
    const { bucket } = this.#store.storage.parts;
    const { signal } = this.#ended;
    const ended = new AbortController();
    try {
      const cut = once(signal, "abort", { signal: ended.signal });
      await Promise.race([bucket.probe(probeTimeoutMs), cut.catch(() => {})]);
      this.#bucketSeen = performance.now();
      if (this.#bucketLost && !signal.aborted) log.info("the bucket can be used again");
      this.#bucketLost = false;
    } catch (error) {
      if (this.#bucketLost || performance.now() - this.#bucketSeen < bucketLostMs) return;
      this.#bucketLost = true;
      log.warn("the bucket could not be used for {seconds} s: {why}", {
        seconds: bucketLostMs / 1000,
        why: `${error}`,
      });
    } finally {
      ended.abort();
    }
  }

  #beat(): NodeBeat {
    const { metrics } = this.#store;
    const now = { at: performance.now(), ...metrics.totals() };
    const seconds = Math.max(0.001, (now.at - this.#moved.at) / 1000);
    const rate = (way: "received" | "sent") =>
      Math.round(Math.max(0, now[way] - this.#moved[way]) / seconds);
    const rates = { received: rate("received"), sent: rate("sent") };
    this.#moved = now;
    return {
      uptimeMs: Math.round(now.at - this.#began),
      stopping: this.#stop.aborted,
      bucket: !this.#bucketLost,
      report: { counts: metrics.snapshot(), memory: Deno.memoryUsage().rss, rates },
    };
  }
}
