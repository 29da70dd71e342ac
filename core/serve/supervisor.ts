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
import { adminPasswordFile } from "../local/account/admin_password.ts";
import { databaseFile } from "../local/database/database.ts";
import type { DoorSpec } from "../door/door.ts";
import { BargeError } from "../error.ts";
import { formatAddress } from "../net/address.ts";
import type { KeyPair } from "../net/certificate.ts";
import type { Settings } from "../local/store.ts";
import type { Adjustable } from "../watch/settings.ts";
import { removedDir } from "../local/remove_account.ts";
import { stagingDir } from "../local/vault/staging.ts";
import { Vault } from "../local/vault/vault.ts";
import { isUnconfinable, unconfinable } from "./confinable.ts";
import { type FromWorker, readFromWorker } from "./from_worker.ts";
import { SupervisorGatherer } from "./gather.ts";
import type { FromDesk, HookPrograms } from "./hooks.ts";
import type { Level } from "./levels.ts";
import { outgoing } from "./outgoing.ts";
import type { ToWorker } from "./worker.ts";

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
 * Returns all that a worker may touch: its ports, users' files and the database. The keys in `tls` and
 * `ssh`, the lock and copies of the database stay out of its reach; the file with the first admin's
 * password it may remove, and not read. SQLite itself opens the database's log (`-wal`, `-shm`).
 *
 * @param data the data directory's real path
 * @param unconfined the operator accepts a directory where no permission can be enforced
 * @throws {BargeError} `usage` for such a directory otherwise
 */
export function workerPermissions(
  data: string,
  doors: readonly DoorSpec[],
  unconfined = false,
): Deno.PermissionOptions {
  if (isUnconfinable(data)) {
    if (!unconfined) throw unconfinable(data);
    log.warn("{data}: the workers are not confined, since the runtime can't do that there", {
      data,
    });
    return "inherit";
  }
  const files = ["homes", "public", stagingDir, removedDir, databaseFile];
  const paths = files.map((name) => `${data}/${name}`);
  return {
    read: paths,
    write: [...paths, `${data}/${adminPasswordFile}`],
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
  /** The private keys of the SFTP door. */
  readonly hostKeys?: readonly string[];
  /** The operator accepts a data directory where workers can't be confined. */
  readonly unconfined?: boolean;
  /** What a worker runs. */
  readonly module?: URL;
  /** Settles the rows of a dead worker, by the name of its start. Never throws. */
  readonly onDead?: (life: string) => Promise<void>;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  /** Finds the files that workers speak of. */
  readonly #vault: Vault;
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
    this.#vault = new Vault(options.settings.data, false);
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
    const { doors, shared, logLevel = "info", module, unconfined } = this.#options;
    const worker = new Worker(module ?? new URL("./worker.ts", import.meta.url), {
      type: "module",
      name: `barge worker ${number}`,
      deno: { permissions: workerPermissions(settings.data, doors, unconfined) },
    });
    this.#workers.set(number, worker);
    const began = performance.now();
    const life = randomUUID();
    return new Promise((resolve, reject) => {
      let listening = false;
      let ended = false;
      const end = (error: BargeError) => {
        if (ended) return; // it has a successor already
        ended = true;
        clear();
        if (listening) this.#bury(worker, life);
        else worker.terminate();
        this.#options.hooks?.forget(worker);
        if (this.#workers.get(number) === worker) this.#workers.delete(number);
        if (!listening) return reject(error);
        log.error("worker {number} died: {why}", { number, why: String(error) });
        const calm = performance.now() - began > longestDelay;
        this.#again(number, calm ? firstDelay : Math.min(delay * 2, longestDelay));
      };
      const clear = this.#after(startWithin, () => {
        end(new BargeError("fatal", `a worker did not start in ${startWithin / 1000} s`));
      });
      worker.onmessage = this.#hears(worker, (message) => {
        if (message.type === "who" || message.type === "here") {
          void this.#gatherer.take(message, worker, this.#workers.values());
        }
        if (message.type === "failed") {
          const { kind, message: why, ...where } = message.error;
          end(new BargeError(kind, why, where));
        }
        if (message.type !== "listening") return;
        clear();
        listening = true;
        resolve();
      }, (why) => {
        worker.terminate(); // at once: nothing of it is believed any more
        end(why);
      });
      worker.onerror = (event) => {
        event.preventDefault();
        end(new BargeError("fatal", event.message, { op: "start worker" }));
      };
      const tls = this.#tls;
      const { hostKeys = [] } = this.#options;
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
          hostKeys,
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

  /**
   * Makes a listener that checks each message before anything is done with it.
   *
   * @param heard takes a sound one
   * @param broken takes the reason why one is not; called once, and nothing is heard after that
   */
  #hears(
    worker: Worker,
    heard: (message: FromWorker) => void,
    broken: (why: BargeError) => void,
  ): (event: MessageEvent) => void {
    const stop = (error: unknown) => {
      worker.onmessage = worker.onmessageerror = null;
      if (!(error instanceof BargeError)) throw error;
      broken(error);
    };
    worker.onmessageerror = () => stop(new BargeError("protocol", "it sent what can't be read"));
    return ({ data }) => {
      try {
        const message = readFromWorker(data);
        this.#hear(worker, message);
        heard(message);
      } catch (error) {
        stop(error);
      }
    };
  }

  /** Takes a worker's message about uploads. @throws {BargeError} `protocol` */
  #hear(worker: Worker, message: FromWorker): void {
    if (!isOfUploads(message)) return;
    const { hooks } = this.#options;
    if (!hooks) throw new BargeError("protocol", "nobody asked for it", { op: "read message" });
    hooks.take(worker, message, this.#vault, (reply) => worker.postMessage(reply));
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
    worker.onmessage = this.#hears(worker, ({ type }) => {
      if (type === "stopped") stopped.resolve();
    }, (why) => {
      log.error("a worker died while it stopped: {why}", { why: String(why) });
      stopped.resolve();
    });
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
