/**
 * The isolates that lessons run in, started when first needed and used again: a worker takes some
 * 10 MB and 20 ms. States: idle -> lent -> idle, or ended when it was cut off or died.
 *
 * Messages to and from a worker carry the number of the agent that they are for, as several agents
 * may share one (see {@link most}).
 */
import type { Report } from "./protocol.ts";
import type { Packed } from "./primitives.ts";
import type { Name } from "../text.ts";

/** How many isolates there are at most; more agents than that share them. */
export const most = 20;

export type ToIsolate =
  | {
    readonly type: "run";
    readonly id: number;
    readonly lesson: string;
    readonly role: string;
    readonly name: Name;
    readonly blocking: boolean;
    readonly props: Packed;
    readonly args: unknown;
  }
  | { readonly type: "go" | "timeUp"; readonly id: number }
  | {
    readonly type: "errand";
    readonly id: number;
    readonly lesson: string;
    readonly errand: string;
    readonly args: unknown;
  };

export type FromIsolate =
  | { readonly type: "reports"; readonly id: number; readonly report: Report }
  | { readonly type: "news"; readonly id: number; readonly news: unknown }
  | {
    readonly type: "done";
    readonly id: number;
    readonly result?: unknown;
    readonly error?: string;
  };

/** A worker on loan. */
export interface Isolate {
  send(message: ToIsolate): void;
  /** Hears what is for that agent. @param died gets why, when the worker is gone */
  hear(id: number, on: (message: FromIsolate) => void, died: (why: string) => void): void;
  /** Ends it now. */
  end(): void;
  /** Has it ended? */
  readonly gone: boolean;
}

export class Pool implements Disposable {
  readonly #idle: Member[] = [];
  readonly #all = new Set<Member>();

  /** Borrows a worker. */
  take(): Isolate {
    return this.#idle.pop() ?? this.#make();
  }

  /** Starts workers that will be needed, all at once. @param n how many are to be idle */
  prepare(n: number): void {
    while (this.#idle.length < n) this.#idle.unshift(this.#make());
  }

  /** Gives one back whose agents have all ended. */
  giveBack(isolate: Isolate): void {
    if (isolate instanceof Member && !isolate.gone) this.#idle.push(isolate);
  }

  /** Ends all of them. */
  [Symbol.dispose](): void {
    for (const member of [...this.#all]) member.end();
    this.#idle.length = 0;
  }

  #make(): Member {
    const member = new Member((ended) => this.#all.delete(ended));
    this.#all.add(member);
    return member;
  }
}

class Member implements Isolate {
  readonly #worker: Worker;
  readonly #ended: (member: Member) => void;
  readonly #hearers = new Map<number, (message: FromIsolate) => void>();
  readonly #mourners = new Map<number, (why: string) => void>();
  gone = false;

  constructor(ended: (member: Member) => void) {
    this.#ended = ended;
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<FromIsolate>) => {
      this.#hearers.get(data.id)?.(data);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      const mourners = [...this.#mourners.values()];
      this.end();
      for (const died of mourners) died(event.message);
    };
  }

  send(message: ToIsolate): void {
    if (!this.gone) this.#worker.postMessage(message);
  }

  hear(id: number, on: (message: FromIsolate) => void, died: (why: string) => void): void {
    this.#hearers.set(id, on);
    this.#mourners.set(id, died);
  }

  end(): void {
    if (this.gone) return;
    this.gone = true;
    this.#hearers.clear();
    this.#mourners.clear();
    this.#worker.terminate();
    this.#ended(this);
  }
}
