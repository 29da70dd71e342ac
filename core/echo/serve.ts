/**
 * An echo server of one or several workers on one port, from its start to its stop. It is the isolate
 * with rights, and talks to no stranger.
 *
 *   starting -> listening -> stopping -> stopped
 *           \-> failed   \-> a worker died: failed
 */
import { BargeError } from "../error.ts";
import { type Address, formatAddress } from "../net/address.ts";
import { type Counters, sum, type Traffic } from "./counters.ts";
import { allowedDescriptors, spareDescriptors } from "../net/descriptors.ts";
import type { EchoEvent, FromEcho, Task, ToEcho } from "./echo_worker.ts";

/** How long a worker may take to start or to answer, in ms. */
const patience = 30_000;

export interface EchoServeOptions extends Omit<Task, "seats" | "reusePort" | "backlog"> {
  /** How many isolates accept connections; of UDP there can be one. */
  readonly workers: number;
  readonly onEvent?: (event: EchoEvent) => void;
}

/** What was counted, in all and by connection. */
export interface Count {
  readonly counters: Counters;
  readonly connections: readonly (Traffic & { readonly peer: string })[];
}

export class EchoServer {
  /** Where it listens, port 0 resolved. */
  readonly address: Address;
  /** Rejects when a worker dies. */
  readonly died: Promise<never>;
  readonly #workers: readonly Link[];
  #asked = 0;

  private constructor(workers: readonly Link[]) {
    this.#workers = workers;
    this.address = workers[0].address;
    this.died = Promise.race(workers.map(({ died }) => died));
    this.died.catch(() => {/* told to whoever waits for it */});
  }

  /** @throws {BargeError} when it can't listen there, or the certificate can't be used */
  static async start({ workers, onEvent, ...options }: EchoServeOptions): Promise<EchoServer> {
    const rest = { ...options, ...await roomFor(options.maxConnections, workers) };
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

  /** @returns what was counted until now */
  async count(): Promise<Count> {
    const number = ++this.#asked;
    const counts = await Promise.all(this.#workers.map((link) => link.count(number)));
    return {
      counters: sum(counts.map(({ counters }) => counters)),
      connections: counts.flatMap(({ connections }) => connections),
    };
  }

  /** Cuts all connections. @returns what was counted in all */
  async stop(): Promise<Counters> {
    return sum(await Promise.all(this.#workers.map((link) => link.stop())));
  }
}

/**
 * How many connections there may be, and wait to be accepted: as many as were asked for, if descriptors
 * allow them. Once it has run out of them the runtime never accepts any more, so that it must not come
 * to that: all that waits in the queue of each worker, and as many that come meanwhile, can be accepted
 * and refused in one turn.
 *
 * @param asked 0: as many as there can be
 * @throws {BargeError} `unavailable` when they are not allowed
 */
async function roomFor(asked: number, workers: number) {
  const allowed = await allowedDescriptors();
  if (allowed === undefined) return { maxConnections: asked, backlog: 512 };
  const backlog = Math.min(1024, Math.max(8, Math.floor(allowed / 8 / workers)));
  const spare = spareDescriptors + workers * 2 * backlog;
  if (asked === 0) return { maxConnections: Math.max(1, allowed - spare), backlog };
  if (asked + spare <= allowed) return { maxConnections: asked, backlog };
  const needed = Math.ceil((asked + spareDescriptors) * 4 / 3);
  const why =
    `${asked} connections need up to ${needed} file descriptors, and ${allowed} are allowed`;
  throw new BargeError("unavailable", why, { hint: `\`ulimit -n ${needed}\` allows them` });
}

type Of<T extends FromEcho["type"]> = Extract<FromEcho, { type: T }>;

/** A worker, and the messages to and from it. */
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
      deno: {
        permissions: {
          // Who answers datagrams needs the right to send to whoever asks.
          net: task.transport === "udp" ? true : [formatAddress(task.address)],
          ...{ read: false, write: false, env: false },
          ...{ ffi: false, import: false, run: false, sys: false },
        },
      },
    });
    this.died = new Promise((_, reject) => {
      this.#worker.onerror = (event) => {
        event.preventDefault();
        reject(new BargeError("fatal", event.message, { op: "run echo worker" }));
      };
    });
    this.died.catch(() => {/* told to whoever waits for it */});
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
      const answer = await link.#ask<"listening" | "failed">({ type: "start", task }, "listening");
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
    return this.#ask<"counted">({ type: "count", number }, `counted ${number}`);
  }

  async stop(): Promise<Counters> {
    try {
      return (await this.#ask<"stopped">({ type: "stop" }, "stopped")).counters;
    } finally {
      this.terminate();
    }
  }

  terminate(): void {
    this.#worker.terminate();
  }

  #ask<T extends FromEcho["type"]>(message: ToEcho, answer: string): Promise<Of<T>> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const answered = new Promise<Of<T>>((resolve, reject) => {
      this.#waiting.set(answer, (message) => resolve(message as Of<T>));
      const why = `an echo worker did not answer in ${patience / 1000} s`;
      timer = setTimeout(() => reject(new BargeError("fatal", why)), patience);
      this.#worker.postMessage(message);
    });
    return Promise.race([answered, this.died]).finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(answer);
    });
  }
}
