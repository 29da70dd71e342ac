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
  readonly #idle: Worker[] = [];

  private constructor() {
    globalThis.addEventListener("unload", () => this.#idle.forEach((worker) => worker.terminate()));
  }

  /**
   * Starts workers: the first one by itself, so that the others find its modules checked.
   *
   * @param size how many can run at once
   */
  static async make(size: number): Promise<Threads> {
    const threads = new Threads();
    for (const more of [1, size - 1]) {
      for (let i = 0; i < more; i++) threads.#idle.push(spawn());
      await threads.all(more, () => {}, undefined);
    }
    return threads;
  }

  /** Runs a function in an idle worker. */
  start<A, R>(body: Body<A, R>, args: A): Thread<R> {
    const worker = this.#idle.shift();
    if (worker === undefined) throw new Error("no thread is idle: make more of them");
    return run(worker, body, args, () => this.#idle.push(worker));
  }

  /** Runs a function in several workers. @returns what they returned, in their order */
  async all<A, R>(n: number, body: Body<A, R>, args: A): Promise<R[]> {
    return await Promise.all(Array.from({ length: n }, () => this.start(body, args).result));
  }
}

/** A worker of its own, for tests that terminate it. */
export function spawn(): Worker {
  return new Worker(new URL("./_worker.ts", import.meta.url), { type: "module" });
}

/** Runs a function in a worker. */
export function run<A, R>(
  worker: Worker,
  body: Body<A, R>,
  args: A,
  ended: () => void,
): Thread<R> {
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
      ended();
      if (data.kind === "done") resolve(data.result as R);
      else reject(new Error(data.error));
    };
  });
  worker.postMessage({ body: body.toString(), args });
  const told = () =>
    news.length > 0
      ? Promise.resolve(news.shift())
      : new Promise((resolve) => listeners.push(resolve));
  return { result, told };
}
