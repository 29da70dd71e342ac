/**
 * Keeps a number of workers listening on the same ports. The supervisor runs in the main isolate, which has
 * all permissions and no connections to clients.
 *
 *   starting -> listening -> stopping -> stopped
 *           \-> failed   \-> died -> (delay) -> starting
 *
 * A worker that dies is started again after a delay, which doubles up to ten seconds. Its uploads can be
 * resumed; its rows in the ledger are settled after it has certainly stopped. Each start of a worker has a
 * unique name, which marks its uploads.
 */
import { randomUUID } from "node:crypto";
import { getLogger } from "@logtape/logtape";
import type { DoorSpec } from "../door/door.ts";
import { BargeError } from "../error.ts";
import type { KeyPair } from "../net/certificate.ts";
import { duplicate } from "../net/descriptor/descriptor.ts";
import type { Adjustable } from "../watch/settings.ts";
import { type FromWorker, readFromWorker } from "./from_worker.ts";
import type { Ground, WorkerSettings } from "./ground.ts";
import { type HookPrograms, unexpectedRequest } from "./hooks/hook_programs.ts";
import type { LogLevel } from "./log_level.ts";
import { RosterBroker } from "./roster_query.ts";
import type { Batch } from "./tracing/batch.ts";
import type { Sampling } from "./tracing/span.ts";
import type { ToWorker } from "./worker.ts";

const log = getLogger(["barge", "serve"]);
const minRestartDelayMs = 100;
const maxRestartDelayMs = 10_000;
/** How long a worker may take to listen. It may have to wait for the database. */
const startTimeoutMs = 60_000;
/** How long a worker may take to stop after the grace time. */
const stopTimeoutMs = 5_000;
/** How long to wait for the last messages of a dead worker: terminate() discards them. */
const lastMessagesMs = 1_000;

export interface SupervisorOptions {
  readonly ground: Pick<Ground, "settings" | "permissions" | "uploadedFile" | "fetchUploaded">;
  readonly doors: readonly DoorSpec[];
  /** Whether the workers share the ports. */
  readonly shared: boolean;
  /** The level of the workers' logs. Default: info. */
  readonly logLevel?: LogLevel;
  readonly hooks?: HookPrograms;
  /** Called when workers have written events. */
  readonly onEvents?: () => void;
  /** Takes the spans of the workers' requests; absent: no request is traced. */
  readonly traces?: { readonly sampling: Sampling; readonly add: (batch: Batch) => void };
  /** The private keys of the SFTP door. */
  readonly hostKeys?: readonly string[];
  /** The entry module of a worker. */
  readonly module?: URL;
  /** Settles the rows of a dead worker, by the name of its start. Never throws. */
  readonly onDead?: (startId: string) => Promise<void>;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #workers = new Map<number, Worker>();
  readonly #dead = new Set<Worker>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #settling = new Set<Promise<void>>();
  readonly #rosterBroker = new RosterBroker<Worker>();
  #settings: WorkerSettings;
  #logLevel: LogLevel;
  #tls: KeyPair | undefined;
  #stopping = false;

  /** @param tls the certificate to serve with; undefined: no TLS */
  constructor(options: SupervisorOptions, tls?: KeyPair) {
    this.#tls = tls && { cert: tls.cert, key: tls.key }; // a certificate has more fields
    this.#options = options;
    this.#settings = options.ground.settings;
    this.#logLevel = options.logLevel ?? "info";
  }

  /**
   * Starts a worker and waits until it listens. If it dies after that, it is started again.
   *
   * @param number the worker's number, from 1
   * @param delay the delay before this start, in ms; the next one is twice as long
   * @throws {BargeError} the reason why it does not listen
   */
  start(number: number, delay = minRestartDelayMs): Promise<void> {
    const settings = this.#settings;
    const { doors, ground, hooks, module } = this.#options;
    const worker = new Worker(module ?? new URL("./worker.ts", import.meta.url), {
      type: "module",
      name: `barge worker ${number}`,
      deno: { permissions: ground.permissions(doors) },
    });
    this.#workers.set(number, worker);
    const began = performance.now();
    const startId = randomUUID();
    return new Promise((resolve, reject) => {
      let listening = false;
      let ended = false;
      const end = (error: BargeError) => {
        if (ended) return; // a new worker is started already
        ended = true;
        clear();
        if (listening) this.#settleDead(worker, startId);
        else worker.terminate();
        hooks?.forget(worker);
        if (this.#workers.get(number) === worker) this.#workers.delete(number);
        if (!listening) return reject(error);
        log.error("worker {number} died: {why}", { number, why: String(error) });
        const stable = performance.now() - began > maxRestartDelayMs;
        this.#restart(number, stable ? minRestartDelayMs : nextDelay(delay));
      };
      const clear = this.#after(startTimeoutMs, () => {
        end(new BargeError("fatal", `a worker did not start in ${startTimeoutMs / 1000} s`));
      });
      this.#listen(worker, (message) => {
        if (message.type === "failed") {
          const { kind, message: why, ...where } = message.error;
          end(new BargeError(kind, why, where));
        }
        if (message.type !== "listening") return;
        clear();
        listening = true;
        resolve();
      }, (error) => end(error.with({ op: "start worker" })));
      const { shared: reusePort, hostKeys = [], traces } = this.#options;
      const logLevel = this.#logLevel;
      const identity = { type: "start", number, startId } as const;
      const ownDoors = doors.map(withOwnDescriptor);
      const serving = { settings, doors: ownDoors, reusePort, tls: this.#tls, hostKeys };
      const offered = { check: hooks !== undefined };
      const sampling = traces?.sampling;
      this.#post(worker, { ...identity, ...serving, logLevel, hooks: offered, sampling });
    });
  }

  /** Makes all workers, also later ones, serve another certificate. Connections stay open. */
  reload({ cert, key }: KeyPair): void {
    this.#tls = { cert, key };
    for (const worker of this.#workers.values()) {
      this.#post(worker, { type: "reload", tls: this.#tls });
    }
  }

  /** Changes the limits and the log level of all workers, also of those that start later. */
  adjust(limits: Adjustable, logLevel: LogLevel): void {
    this.#settings = { ...this.#settings, ...limits };
    this.#logLevel = logLevel;
    for (const worker of this.#workers.values()) {
      this.#post(worker, { type: "adjust", limits, logLevel });
    }
  }

  #post(worker: Worker, message: ToWorker): void {
    worker.postMessage(message);
  }

  /** Waits for the last messages of a worker that has ended by itself, then settles its rows. */
  #settleDead(worker: Worker, startId: string): void {
    this.#dead.add(worker);
    this.#after(lastMessagesMs, () => {
      worker.terminate();
      this.#dead.delete(worker);
      const settling = this.#options.onDead?.(startId).finally(() =>
        this.#settling.delete(settling!)
      );
      if (settling) this.#settling.add(settling);
    });
  }

  /**
   * Checks each message of a worker before it is used. A worker that sends a forged one is stopped at once,
   * since its other messages may be forged, too.
   *
   * @param onEnd gets the reason why no more messages are read
   */
  #listen(
    worker: Worker,
    onMessage: (message: FromWorker) => void,
    onEnd: (error: BargeError) => void,
  ): void {
    const stop = (error: unknown) => {
      worker.onmessage = worker.onmessageerror = null;
      if (!(error instanceof BargeError)) throw error;
      worker.terminate();
      onEnd(error);
    };
    worker.onmessage = ({ data }) => {
      try {
        const message = readFromWorker(data);
        this.#relay(worker, message);
        onMessage(message);
      } catch (error) {
        stop(error);
      }
    };
    worker.onmessageerror = () => stop(new BargeError("protocol", "a message can't be read"));
    worker.onerror = (event) => {
      event.preventDefault();
      onEnd(new BargeError("fatal", event.message));
    };
  }

  /** Passes a hook request, a roster message or spans on. @throws {BargeError} `protocol` */
  #relay(worker: Worker, message: FromWorker): void {
    const { ground, hooks, traces } = this.#options;
    switch (message.type) {
      case "spans":
        if (!traces) throw new BargeError("protocol", "no request is traced");
        traces.add(message);
        return this.#post(worker, { type: "spans-taken" });
      case "check":
      case "cancel-check":
        if (!hooks) throw unexpectedRequest();
        return hooks.receive(worker, message, ground, (reply) => this.#post(worker, reply));
      case "events-written":
        return this.#options.onEvents?.();
      case "list-connections":
      case "connections":
        if (this.#stopping) return;
        void this.#rosterBroker.receive(message, worker, this.#workers.values());
    }
  }

  /** Stops all workers. Requests under way may take `grace` ms to end, with the checks of their uploads. */
  async stop(grace: number): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#rosterBroker.stop();
    await Promise.all(Array.from(this.#workers.values(), (worker) => this.#stopOne(worker, grace)));
    this.#workers.clear();
    for (const worker of this.#dead) worker.terminate();
    await Promise.all(this.#settling);
    await this.#options.hooks?.stop();
  }

  async #stopOne(worker: Worker, grace: number): Promise<void> {
    const stopped = Promise.withResolvers<void>();
    this.#listen(worker, ({ type }) => {
      if (type === "stopped") stopped.resolve();
    }, (error) => {
      log.error("a worker died while it stopped: {why}", { why: String(error) });
      stopped.resolve();
    });
    this.#post(worker, { type: "stop", grace });
    const clear = this.#after(grace + stopTimeoutMs, () => stopped.resolve());
    await stopped.promise;
    clear();
    worker.terminate();
    this.#options.hooks?.forget(worker);
  }

  #restart(number: number, delay: number): void {
    this.#after(delay, () => {
      this.start(number, delay).catch((error) => {
        if (this.#stopping) return;
        log.error("worker {number} can't be started again: {why}", { number, why: `${error}` });
        this.#restart(number, nextDelay(delay));
      });
    });
  }

  /** Calls a function after a time, unless the supervisor stops before. @returns cancels the call */
  #after(ms: number, work: () => void): () => void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
    return () => {
      clearTimeout(timer);
      this.#timers.delete(timer);
    };
  }
}

/** Returns a door with a descriptor that its worker may close. @throws {BargeError} `fatal` */
function withOwnDescriptor(spec: DoorSpec): DoorSpec {
  const { descriptor } = spec;
  return descriptor === undefined ? spec : { ...spec, descriptor: duplicate(descriptor) };
}

function nextDelay(delayMs: number): number {
  return Math.min(delayMs * 2, maxRestartDelayMs);
}
