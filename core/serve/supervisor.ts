/**
 * The supervisor: the one isolate with rights. It makes and locks the data directory, settles what
 * a crash left behind, and keeps N workers listening on the same port. It talks to no stranger.
 *
 *   starting -> ready -> stopping -> stopped
 *
 * A worker that dies is started again, after a delay that doubles up to ten seconds; the others do
 * not notice: what it was writing can be continued.
 */
import { getLogger } from "@logtape/logtape";
import { BargeError, isKind } from "../error.ts";
import type { Address } from "../net/address.ts";
import type { KeyPair } from "../net/certificate.ts";
import type { Settings } from "../session/store.ts";
import type { FromWorker, ToWorker } from "./worker.ts";

const log = getLogger(["barge", "serve"]);
const firstDelay = 100;
const longestDelay = 10_000;

export class Supervisor {
  readonly #settings: Settings;
  readonly #native: Address;
  readonly #reusePort: boolean;
  readonly #workers = new Map<number, Worker>();
  #tls: KeyPair | undefined;
  #stopping = false;

  /** @param tls the certificate to serve with; undefined: no TLS */
  constructor(settings: Settings, native: Address, workers: number, tls?: KeyPair) {
    this.#tls = tls && { cert: tls.cert, key: tls.key };
    this.#settings = settings;
    this.#native = native;
    this.#reusePort = workers > 1;
  }

  /**
   * Starts a worker.
   *
   * @returns once it listens
   * @throws {BargeError} what kept it from listening
   */
  start(number: number, delay = firstDelay): Promise<void> {
    const { data } = this.#settings;
    const { host, port } = this.#native;
    const worker = new Worker(new URL("./worker.ts", import.meta.url), {
      type: "module",
      name: `barge worker ${number}`,
      deno: {
        permissions: {
          read: [data],
          write: [data],
          net: [host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`],
          env: false,
          ffi: false,
          import: false,
          run: false,
          sys: false,
        },
      },
    });
    this.#workers.set(number, worker);
    const began = performance.now();
    return new Promise((resolve, reject) => {
      worker.onmessage = ({ data: message }: MessageEvent<FromWorker>) => {
        if (message.type === "listening") resolve();
        if (message.type === "failed") {
          const kind = isKind(message.kind) ? message.kind : "fatal";
          reject(
            new BargeError(kind, message.message, { op: "listen on", path: `${host}:${port}` }),
          );
        }
      };
      worker.onerror = (event) => {
        event.preventDefault();
        log.error("worker {number} died: {why}", { number, why: event.message });
        reject(new BargeError("fatal", event.message, { op: "start worker" }));
        this.#workers.delete(number);
        const calm = performance.now() - began > longestDelay;
        this.#again(number, calm ? firstDelay : Math.min(delay * 2, longestDelay));
      };
      const message: ToWorker = {
        type: "start",
        settings: this.#settings,
        native: this.#native,
        reusePort: this.#reusePort,
        tls: this.#tls,
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

  /** Stops all workers; what is in flight may end within `grace` ms. */
  async stop(grace: number): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#workers.values()].map((worker) =>
      new Promise<void>((resolve) => {
        worker.onerror = (event) => {
          event.preventDefault();
          resolve();
        };
        worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
          if (data.type === "stopped") resolve();
        };
        worker.postMessage({ type: "stop", grace } satisfies ToWorker);
      }).finally(() => worker.terminate())
    ));
    this.#workers.clear();
  }

  #again(number: number, delay: number): void {
    setTimeout(() => {
      if (this.#stopping) return;
      this.start(number, delay).catch((error) =>
        log.error("worker {number}: {error}", { number, error })
      );
    }, delay);
  }
}
