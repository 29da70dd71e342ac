/** A TCP balancer on this machine, for tests. */
import type { BalancerOptions } from "./_balancer_worker.ts";

/**
 * Gives each connection to the other of two ports in turn. It has a thread of its own: a test that closes a file of
 * a mounted server waits without its event loop.
 */
export class Balancer implements Disposable {
  /** The port where it listens. */
  readonly port: number;
  readonly #worker: Worker;

  private constructor(port: number, worker: Worker) {
    this.port = port;
    this.#worker = worker;
  }

  static async start(options: BalancerOptions): Promise<Balancer> {
    const url = new URL("./_balancer_worker.ts", import.meta.url);
    const worker = new Worker(url, { type: "module" });
    const port = await new Promise<number>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(options);
    });
    return new Balancer(port, worker);
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}
