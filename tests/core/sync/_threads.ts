/**
 * Threads for the tests: workers that are started once a file, and run the functions given to them.
 *
 * A function is sent as text, so it sees its parameters only: core/sync, what it was sent, and
 * `tell`, which reaches the `told` of its thread.
 */
import type * as Sync from "../../../core/sync/mod.ts";

export type Body<A, R> = (
  sync: typeof Sync,
  args: A,
  tell: (news: unknown) => void,
) => R | Promise<R>;

/** What comes back from a worker. */
export type Report =
  | { readonly kind: "told"; readonly news: unknown }
  | { readonly kind: "done"; readonly result: unknown }
  | { readonly kind: "failed"; readonly error: string };

/** A function that runs in a worker. */
export interface Thread<R> {
  /** What it returned; rejected with what it threw. */
  readonly result: Promise<R>;
  /** The next thing that it told. */
  told(): Promise<unknown>;
}

export class Threads {
  readonly #idle: Worker[];

  /** @param size how many can run at once */
  constructor(size: number) {
    const url = new URL("./_worker.ts", import.meta.url);
    this.#idle = Array.from({ length: size }, () => new Worker(url, { type: "module" }));
    for (const worker of this.#idle) {
      globalThis.addEventListener("unload", () => worker.terminate());
    }
  }

  /** Runs a function in an idle worker. */
  start<A, R>(body: Body<A, R>, args: A): Thread<R> {
    const worker = this.#idle.shift();
    if (worker === undefined) throw new Error("no thread is idle: make more of them");
    const news: unknown[] = [];
    const listeners: ((news: unknown) => void)[] = [];
    const result = new Promise<R>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<Report>) => {
        if (data.kind === "told") {
          const listener = listeners.shift();
          if (listener) listener(data.news);
          else news.push(data.news);
          return;
        }
        this.#idle.push(worker);
        if (data.kind === "done") resolve(data.result as R);
        else reject(new Error(data.error));
      };
    });
    worker.postMessage({ body: body.toString(), args });
    return {
      result,
      told: () =>
        news.length > 0
          ? Promise.resolve(news.shift())
          : new Promise((resolve) => listeners.push(resolve)),
    };
  }

  /** Runs a function in several workers. @returns what they returned, in their order */
  async all<A, R>(n: number, body: Body<A, R>, args: A): Promise<R[]> {
    return await Promise.all(Array.from({ length: n }, () => this.start(body, args).result));
  }
}
