/**
 * The supervisor: the one isolate with rights. It makes and locks the data directory, settles what
 * a crash left behind, and keeps N workers listening on the same ports. It talks to no stranger.
 *
 *   starting -> listening -> stopping -> stopped
 *           \-> failed   \-> died -> (delay) -> starting
 *
 * A worker that dies is started again, after a delay that doubles up to ten seconds; the others do
 * not notice: its uploads can be resumed. Once the worker has certainly stopped, its rows in the
 * ledger are settled. Each start of a worker has a name of its own, which marks its uploads.
 */
import { randomUUID } from "node:crypto";
import { getLogger } from "@logtape/logtape";
import type { DoorSpec } from "../door/door.ts";
import { BargeError } from "../error.ts";
import { formatAddress } from "../net/address.ts";
import type { KeyPair } from "../net/certificate.ts";
import type { Adjustable, Settings } from "../session/store.ts";
import { SupervisorGatherer } from "./gather.ts";
import type { FromDesk, HookPrograms } from "./hooks.ts";
import type { Level } from "./levels.ts";
import { outgoing } from "./outgoing.ts";
import type { FromWorker, ToWorker } from "./worker.ts";

const log = getLogger(["barge", "serve"]);
const firstDelay = 100;
const longestDelay = 10_000;
/** How long a worker may take until it listens, in ms: it waits for the database among other things. */
const startWithin = 60_000;
/** How much longer than the grace a worker may take to stop, in ms. */
const stopWithin = 5_000;
/** How long what a dead worker said last may take to arrive, in ms: to terminate it drops that. */
const lastWords = 1_000;

/**
 * All that a worker may touch: its ports, and the data directory. Below /dev, /proc and /sys the
 * runtime gives files to nobody who has not all rights: there is no cage to be had for a data
 * directory there, on a tmpfs in /dev/shm for instance, and the log says so.
 */
export function workerPermissions(
  data: string,
  doors: readonly DoorSpec[],
): Deno.PermissionOptions {
  if (/^\/(dev|proc|sys)\//.test(data)) {
    log.warn("{data}: the workers are not confined, since the runtime can't do that there", {
      data,
    });
    return "inherit";
  }
  return {
    read: [data],
    write: [data],
    net: [...new Set([...doors.flatMap(portsOf), ...outgoing(doors)])],
    env: false,
    ffi: false,
    import: false,
    run: false,
    sys: false,
  };
}

/** Where a door listens, as the runtime's permissions name it. */
function portsOf({ address, ftp }: DoorSpec): string[] {
  const ports = [address.port];
  if (ftp) { for (let port = ftp.passive[0]; port <= ftp.passive[1]; port++) ports.push(port); }
  return ports.map((port) => formatAddress({ host: address.host, port }));
}

export interface SupervisorOptions {
  readonly settings: Settings;
  /** Where the workers listen. */
  readonly doors: readonly DoorSpec[];
  /** Do they share the ports? */
  readonly shared: boolean;
  /** What the workers log. Default: info. */
  readonly logLevel?: Level;
  /** What is told of uploads, and asked about them. */
  readonly hooks?: HookPrograms;
  /** What a worker runs. */
  readonly module?: URL;
  /** Settles the rows of a dead worker, by the name of its start. Never throws. */
  readonly onDead?: (life: string) => Promise<void>;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #workers = new Map<number, Worker>();
  readonly #dead = new Set<Worker>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #settling = new Set<Promise<void>>();
  readonly #gatherer = new SupervisorGatherer<Worker>();
  #settings: Settings;
  #tls: KeyPair | undefined;
  #stopping = false;

  /** @param tls the certificate to serve with; undefined: no TLS */
  constructor(options: SupervisorOptions, tls?: KeyPair) {
    this.#tls = tls && { cert: tls.cert, key: tls.key };
    this.#options = options;
    this.#settings = options.settings;
  }

  /**
   * Starts a worker, and again whenever it dies after this.
   *
   * @param number its name, from 1
   * @param delay how long ago it had died, in ms: the next time, twice that passes
   * @returns once it listens
   * @throws {BargeError} what kept it from listening
   */
  start(number: number, delay = firstDelay): Promise<void> {
    const settings = this.#settings;
    const { doors, shared, logLevel = "info", module } = this.#options;
    const worker = new Worker(module ?? new URL("./worker.ts", import.meta.url), {
      type: "module",
      name: `barge worker ${number}`,
      deno: { permissions: workerPermissions(settings.data, doors) },
    });
    this.#workers.set(number, worker);
    const began = performance.now();
    const life = randomUUID();
    return new Promise((resolve, reject) => {
      let listening = false;
      const end = (error: BargeError) => {
        clear();
        if (listening) this.#bury(worker, life);
        else worker.terminate();
        this.#options.hooks?.forget(worker);
        if (this.#workers.get(number) === worker) this.#workers.delete(number);
        if (!listening) return reject(error);
        log.error("worker {number} died: {why}", { number, why: error.message });
        const calm = performance.now() - began > longestDelay;
        this.#again(number, calm ? firstDelay : Math.min(delay * 2, longestDelay));
      };
      const clear = this.#after(startWithin, () => {
        end(new BargeError("fatal", `a worker did not start in ${startWithin / 1000} s`));
      });
      worker.onmessage = ({ data: message }: MessageEvent<FromWorker>) => {
        if (message.type === "who" || message.type === "here") {
          void this.#gatherer.take(message, worker, this.#workers.values());
        }
        if (message.type === "failed") {
          const { kind, message: why, ...where } = message.error;
          end(new BargeError(kind, why, where));
        }
        this.#hear(worker, message);
        if (message.type !== "listening") return;
        clear();
        listening = true;
        resolve();
      };
      worker.onerror = (event) => {
        event.preventDefault();
        end(new BargeError("fatal", event.message, { op: "start worker" }));
      };
      const tls = this.#tls;
      const hooks = this.#options.hooks?.offered ?? { check: false, committed: false };
      const message: ToWorker = {
        ...{
          type: "start",
          number,
          life,
          settings,
          doors,
          reusePort: shared,
          tls,
          logLevel,
          hooks,
        },
      };
      worker.postMessage(message);
    });
  }

  /** Has all workers, those to come too, show another certificate. What is connected stays so. */
  reload({ cert, key }: KeyPair): void {
    this.#tls = { cert, key };
    const message: ToWorker = { type: "reload", tls: this.#tls };
    for (const worker of this.#workers.values()) worker.postMessage(message);
  }

  /** Has all workers, those to come too, hold what comes from here on to other limits. */
  adjust(limits: Adjustable): void {
    this.#settings = { ...this.#settings, ...limits };
    const message: ToWorker = { type: "adjust", limits };
    for (const worker of this.#workers.values()) worker.postMessage(message);
  }

  /** Lets go of a worker that has ended by itself. */
  #bury(worker: Worker, life: string): void {
    this.#dead.add(worker);
    this.#after(lastWords, () => {
      worker.terminate();
      this.#dead.delete(worker);
      const settling = this.#options.onDead?.(life).finally(() => this.#settling.delete(settling!));
      if (settling) this.#settling.add(settling);
    });
  }

  /** What a worker says of uploads. */
  #hear(worker: Worker, message: FromWorker): void {
    if (!isOfUploads(message)) return;
    this.#options.hooks?.take(worker, message, (reply) => worker.postMessage(reply));
  }

  /**
   * Stops all workers; what is in flight may end within `grace` ms, and what is left of them then
   * goes to telling of the uploads that there were.
   */
  async stop(grace: number): Promise<void> {
    const until = performance.now() + grace;
    this.#stopping = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#gatherer.stop();
    await Promise.all(Array.from(this.#workers.values(), (worker) => this.#stopOne(worker, grace)));
    this.#workers.clear();
    for (const worker of this.#dead) worker.terminate();
    await Promise.all(this.#settling);
    await this.#options.hooks?.stop(Math.max(0, until - performance.now()));
  }

  async #stopOne(worker: Worker, grace: number): Promise<void> {
    const stopped = Promise.withResolvers<void>();
    worker.onerror = (event) => {
      event.preventDefault();
      log.error("a worker died while it stopped: {why}", { why: event.message });
      stopped.resolve();
    };
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      this.#hear(worker, data);
      if (data.type === "stopped") stopped.resolve();
    };
    worker.postMessage({ type: "stop", grace } satisfies ToWorker);
    const clear = this.#after(grace + stopWithin, () => stopped.resolve());
    await stopped.promise;
    clear();
    worker.terminate();
    this.#options.hooks?.forget(worker);
  }

  #again(number: number, delay: number): void {
    this.#after(delay, () => {
      this.start(number, delay).catch((error) => {
        if (this.#stopping) return;
        log.error("worker {number} can't be started again: {why}", { number, why: `${error}` });
        this.#again(number, Math.min(delay * 2, longestDelay));
      });
    });
  }

  /** Does it later, unless all is stopped before. @returns what keeps it from happening */
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

function isOfUploads(message: FromWorker): message is FromDesk {
  return message.type === "check" || message.type === "uncheck" || message.type === "committed";
}
