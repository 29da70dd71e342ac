/** Storage on one machine keeps the promises that every storage makes of uploads. */
import assert from "node:assert/strict";
import type { Store } from "../../../core/local/store.ts";
import { recover } from "../../../core/repair/recover.ts";
import type { Place } from "../../../core/storage/place.ts";
import type { Uploads } from "../../../core/storage/uploads.ts";
import { makeTally } from "../../../core/watch/gate.ts";
import { makeBoard } from "../../../core/watch/metrics.ts";
import { makeFenceTable } from "../../../core/local/vault/fences.ts";
import { Setup } from "../../core/_setup.ts";
import { type Step, type StoreUnderTest, uploadsContract } from "./_suite_uploads.ts";

const process = new URL("./_local_process.ts", import.meta.url).pathname;
/** The most connections of one test; each is a worker with fences of its own. */
const maxConnections = 8;

class LocalUnderTest implements StoreUnderTest {
  readonly steps = {
    store: ["sealed", "staged", "synced", "renamed", "settled", "committed"],
    commit: ["staged", "synced", "sealed", "renamed", "settled", "committed"],
  };
  readonly midway = "renamed";
  readonly #setup = new Setup({
    fences: makeFenceTable(maxConnections),
    tally: makeTally(maxConnections),
    board: makeBoard(maxConnections),
  });
  readonly #stores: Store[] = [];

  connect(): Promise<Uploads> {
    const store = this.#setup.open({}, this.#stores.length + 1);
    this.#stores.push(store);
    return Promise.resolve(store.uploads);
  }

  addAccount(name: string, quota: number | null): Promise<number> {
    return Promise.resolve(this.#setup.user(name, quota).id);
  }

  sums(account: number): Promise<{ used: number; reserved: number }> {
    this.#setup.check();
    const { used, reserved } = this.#setup.store.accounts.byId(account)!;
    return Promise.resolve({ used, reserved });
  }

  async content({ dir, name }: Place): Promise<Uint8Array | undefined> {
    const path = `${this.#setup.data}/${dir}/${name}`;
    try {
      return await Deno.readFile(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  staged(): Promise<number> {
    return Promise.resolve(this.#setup.staged().length);
  }

  async race(
    account: number,
    processes: number,
    files: number,
    bytes: number,
  ): Promise<number[]> {
    const runs = Array.from(
      { length: processes },
      () => this.#run("race", account, files, bytes),
    );
    return (await Promise.all(runs)).map(({ code, stdout, stderr }) => {
      assert.equal(code, 0, stderr);
      return Number(stdout);
    });
  }

  async kill(how: "store" | "commit", at: Step, account: number, bytes: Uint8Array) {
    const { signal, stderr } = await this.#run(how, account, at, new TextDecoder().decode(bytes));
    assert.equal(signal, "SIGKILL", stderr);
    await recover(this.#setup.store);
  }

  async #run(verb: string, account: number, ...args: readonly (string | number)[]) {
    const command = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-check",
        "--allow-all",
        process,
        verb,
        this.#setup.data,
        `${account}`,
        ...args.map(String),
      ],
      stdin: "null",
    });
    const { code, signal, stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    return { code, signal, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores) store[Symbol.dispose]();
    this.#setup[Symbol.dispose]();
    return Promise.resolve();
  }
}

uploadsContract("local", () => Promise.resolve(new LocalUnderTest()));
