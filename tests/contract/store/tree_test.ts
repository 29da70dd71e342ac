/** Storage on one machine keeps the promises that every storage makes of the tree. */
import assert from "node:assert/strict";
import type { Store } from "../../../core/local/store.ts";
import { recover } from "../../../core/repair/recover.ts";
import type { Tree } from "../../../core/storage/tree.ts";
import { Setup, write } from "../../core/_setup.ts";
import { type Change, treeContract, type TreeUnderTest } from "./_suite_tree.ts";

const process = new URL("./_local_tree_process.ts", import.meta.url).pathname;

class LocalUnderTest implements TreeUnderTest {
  readonly steps = ["intended", "renamed", "settled", "committed"];
  readonly #setup = new Setup();
  readonly #stores: Store[] = [];

  connect(): Promise<Tree> {
    const store = this.#setup.open();
    this.#stores.push(store);
    return Promise.resolve(store.tree);
  }

  addAccount(name: string): Promise<number> {
    return Promise.resolve(this.#setup.user(name).id);
  }

  async write(account: string, name: string, content: string): Promise<void> {
    await write(this.#setup.login(account), `/home/${name}`, content);
  }

  used(account: number): Promise<number> {
    this.#setup.check();
    return Promise.resolve(this.#setup.store.accounts.byId(account)!.used);
  }

  async kill(change: Change, step: string, account: number): Promise<void> {
    const { data, store } = this.#setup;
    const options = ["--quiet", "--no-check", "--allow-all"];
    const { signal, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", ...options, process, change, data, `${account}`, step],
      stdin: "null",
    }).output();
    assert.equal(signal, "SIGKILL", new TextDecoder().decode(stderr));
    await recover(store);
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores) store[Symbol.dispose]();
    this.#setup[Symbol.dispose]();
    return Promise.resolve();
  }
}

treeContract("local", () => Promise.resolve(new LocalUnderTest()));
