/**
 * An echo server of one or several workers on one port. This isolate has permissions, but serves no
 * clients itself.
 *
 *   starting -> listening -> stopping -> stopped
 *           \-> failed   \-> a worker died: failed
 */
import { BargeError } from "../error.ts";
import { type Address, formatAddress } from "../net/address.ts";
import { type Counters, sum } from "./counters.ts";
import { allowedDescriptors, spareDescriptors } from "../net/descriptors.ts";
import type { Count, EchoEvent, FromEcho, Task, ToEcho } from "./echo_worker.ts";

/** The limit of the time in which a worker starts or answers. */
const workerTimeoutMs = 30_000;

export interface EchoServeOptions extends Omit<Task, "seats" | "reusePort" | "backlog"> {
  /** Number of isolates that accept connections; 1 for UDP. */
  readonly workers: number;
  readonly onEvent?: (event: EchoEvent) => void;
}

export class EchoServer {
  /** The address with the actual port. */
  readonly address: Address;
  /** Rejects when a worker dies. */
  readonly died: Promise<never>;
  readonly #workers: readonly Link[];
  #counts = 0;

  private constructor(workers: readonly Link[]) {
    this.#workers = workers;
    this.address = workers[0].address;
    this.died = Promise.race(workers.map(({ died }) => died));
    this.died.catch(() => {/* callers of `died` report it */});
  }

  /** @throws {BargeError} when it can't listen there, or the certificate can't be used */
  static async start({ workers, onEvent, ...options }: EchoServeOptions): Promise<EchoServer> {
    const rest = { ...options, ...await limitsFor(options.maxConnections, workers) };
    const seats = new Int32Array(new SharedArrayBuffer(4));
    const links: Link[] = [];
    let task: Task = { ...rest, seats, reusePort: workers > 1 };
    try {
      for (let i = 0; i < workers; i++) {
        const link = await Link.start(task, onEvent ?? (() => {}));
        links.push(link);
        task = { ...task, address: link.address };
      }
      return new EchoServer(links);
    } catch (error) {
      for (const link of links) link.terminate();
      throw error;
    }
  }

  async count(): Promise<Count> {
    const number = ++this.#counts;
    const counts = await Promise.all(this.#workers.map((link) => link.count(number)));
    return {
      counters: sum(counts.map(({ counters }) => counters)),
      connections: counts.flatMap(({ connections }) => connections),
    };
  }

  /** Closes all connections. @returns the final counters */
  async stop(): Promise<Counters> {
    return sum(await Promise.all(this.#workers.map((link) => link.stop())));
  }
}

/**
 * Returns the limit on connections and the length of the accept queue that the file descriptors
 * allow. The runtime never accepts again after it has run out of descriptors. So some are kept spare,
 * twice the length of each worker's queue: one turn of the event loop may accept and refuse the whole
 * queue, and as many connections that arrive meanwhile.
 *
 * @param requested the limit; 0: as many as possible
 * @throws {BargeError} `unavailable` when the descriptors do not suffice
 */
async function limitsFor(requested: number, workers: number) {
  const allowed = await allowedDescriptors();
  if (allowed === undefined) return { maxConnections: requested, backlog: 512 };
  const backlog = Math.min(1024, Math.max(8, Math.floor(allowed / 8 / workers)));
  const spare = spareDescriptors + workers * 2 * backlog;
  if (requested === 0) return { maxConnections: Math.max(1, allowed - spare), backlog };
  if (requested + spare <= allowed) return { maxConnections: requested, backlog };
  const needed = Math.ceil((requested + spareDescriptors) * 4 / 3);
  const why =
    `${requested} connections need up to ${needed} file descriptors, and ${allowed} are allowed`;
  throw new BargeError("unavailable", why, { hint: `\`ulimit -n ${needed}\` allows them` });
}

type Of<T extends FromEcho["type"]> = Extract<FromEcho, { type: T }>;

/** A worker and the messages to and from it. */
class Link {
  readonly #worker: Worker;
  readonly #waiting = new Map<string, (message: FromEcho) => void>();
  readonly died: Promise<never>;
  address: Address;

  private constructor(task: Task, onEvent: (event: EchoEvent) => void) {
    this.address = task.address;
    this.#worker = new Worker(new URL("./echo_worker.ts", import.meta.url), {
      type: "module",
      name: "barge echo",
      // The runtime denies permissions that are not named. A UDP server sends to any client.
      deno: {
        permissions: { net: task.transport === "udp" ? true : [formatAddress(task.address)] },
      },
    });
    this.died = new Promise((_, reject) => {
      this.#worker.onerror = (event) => {
        event.preventDefault();
        reject(new BargeError("fatal", event.message, { op: "run echo worker" }));
      };
    });
    this.died.catch(() => {/* callers of `died` report it */});
    this.#worker.onmessage = ({ data: message }: MessageEvent<FromEcho>) => {
      const { type } = message;
      if (type === "opened" || type === "closed" || type === "trouble") return onEvent(message);
      const name = type === "counted" ? `counted ${message.number}` : type;
      this.#waiting.get(type === "failed" ? "listening" : name)?.(message);
    };
  }

  static async start(task: Task, onEvent: (event: EchoEvent) => void): Promise<Link> {
    const link = new Link(task, onEvent);
    try {
      const start = { type: "start", task } as const;
      const answer = await link.#request<"listening" | "failed">(start, "listening");
      if (answer.type === "failed") {
        const path = formatAddress(task.address);
        throw new BargeError(answer.kind, answer.message, { op: "listen on", path });
      }
      link.address = answer.address;
      return link;
    } catch (error) {
      link.terminate();
      throw error;
    }
  }

  count(number: number): Promise<Of<"counted">> {
    return this.#request<"counted">({ type: "count", number }, `counted ${number}`);
  }

  async stop(): Promise<Counters> {
    try {
      return (await this.#request<"stopped">({ type: "stop" }, "stopped")).counters;
    } finally {
      this.terminate();
    }
  }

  terminate(): void {
    this.#worker.terminate();
  }

  #request<T extends FromEcho["type"]>(message: ToEcho, answer: string): Promise<Of<T>> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const answered = new Promise<Of<T>>((resolve, reject) => {
      this.#waiting.set(answer, (message) => resolve(message as Of<T>));
      const why = `an echo worker did not answer in ${workerTimeoutMs / 1000} s`;
      timer = setTimeout(() => reject(new BargeError("fatal", why)), workerTimeoutMs);
      this.#worker.postMessage(message);
    });
    return Promise.race([answered, this.died]).finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(answer);
    });
  }
}
