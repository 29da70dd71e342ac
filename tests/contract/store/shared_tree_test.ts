/** Storage that many machines share keeps the promises that every storage makes of the tree. */
import { SharedUploads } from "../../../core/shared/upload/uploads.ts";
import { relative } from "../../../core/storage/place.ts";
import type { Tree } from "../../../core/storage/tree.ts";
import { hasEngines, SharedSetup } from "./_shared.ts";
import { type Change, treeContract, type TreeUnderTest } from "./_suite_tree.ts";
import { store, text } from "./_suite_uploads.ts";

class SharedUnderTest implements TreeUnderTest {
  readonly steps = ["written", "committed"];
  readonly #setup: SharedSetup;
  readonly #accounts = new Map<string, number>();

  constructor(setup: SharedSetup) {
    this.#setup = setup;
  }

  connect(): Promise<Tree> {
    return Promise.resolve(this.#setup.node().tree);
  }

  async addAccount(name: string): Promise<number> {
    const id = await this.#setup.addAccount(name, null);
    this.#accounts.set(name, id);
    return id;
  }

  async limitEntries(account: string, entryLimit: number): Promise<void> {
    await this.#setup.people.accounts.change(account, { entryLimit });
  }

  async write(account: string, name: string, content: string): Promise<void> {
    const path = `homes/${account}/${name}`;
    const cut = path.lastIndexOf("/");
    const place = { dir: path.slice(0, cut), name: path.slice(cut + 1) };
    if (relative(place) !== path) throw new Error(path);
    await store(
      new SharedUploads(this.#setup.first),
      this.#accounts.get(account)!,
      text(content),
      place,
    );
  }

  async used(account: number): Promise<number> {
    await this.#setup.check();
    const sql = "SELECT used FROM account WHERE id = $1";
    return (await this.#setup.first.db.all<{ used: number }>(sql, account))[0].used;
  }

  async kill(change: Change, step: string, account: number): Promise<void> {
    await this.#setup.killed(change, step, `${account}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#setup[Symbol.asyncDispose]();
  }
}

if (hasEngines) {
  treeContract("shared", async () => new SharedUnderTest(await SharedSetup.make()));
}
