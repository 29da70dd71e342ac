/** Storage on one machine, for the suites: several stores, and other processes, on one data directory. */
import assert from "node:assert/strict";
import type { Settings, Store } from "../../../core/local/store.ts";
import { makeFenceTable } from "../../../core/local/vault/fences.ts";
import { recover } from "../../../core/repair/recover.ts";
import { makeTally } from "../../../core/watch/gate.ts";
import { makeSharedCounts } from "../../../core/watch/metrics.ts";
import { Setup } from "../../core/_setup.ts";

const process = new URL("./_local_process.ts", import.meta.url).pathname;
/** The most stores of one test; each is a worker with fences of its own. */
const maxStores = 8;

export class LocalUnderTest implements AsyncDisposable {
  readonly setup: Setup;
  readonly #stores: Store[] = [];

  constructor(settings: Partial<Settings> = {}) {
    this.setup = new Setup({
      fences: makeFenceTable(maxStores),
      tally: makeTally(maxStores),
      sharedCounts: makeSharedCounts(maxStores),
      ...settings,
    });
  }

  /** Opens one more store, as another worker has it. */
  open(): Store {
    const store = this.setup.open({}, this.#stores.length + 1);
    this.#stores.push(store);
    return store;
  }

  /** Runs {@link process} to its end. */
  async run(verb: string, account: number, ...args: readonly (string | number)[]) {
    const options = ["run", "--quiet", "--no-check", "--allow-all", process];
    const { code, signal, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...options, verb, this.setup.data, `${account}`, ...args.map(String)],
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return { code, signal, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  /** Runs a process that kills itself, and does what a start of the server does. */
  async runKilled(verb: string, account: number, ...args: readonly string[]): Promise<void> {
    const { signal, stderr } = await this.run(verb, account, ...args);
    assert.equal(signal, "SIGKILL", stderr);
    await recover(this.setup.store);
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores) store[Symbol.dispose]();
    this.setup[Symbol.dispose]();
    return Promise.resolve();
  }
}
