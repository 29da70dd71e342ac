// deno-lint-ignore-file require-await -- other storage answers later
/** Storage on one machine keeps the promises that every storage makes of the tree. */
import type { Tree } from "../../../core/storage/tree.ts";
import { write } from "../../core/_setup.ts";
import { LocalUnderTest } from "./_local.ts";
import { type Change, treeContract, type TreeUnderTest } from "./_suite_tree.ts";

class LocalTreeUnderTest extends LocalUnderTest implements TreeUnderTest {
  readonly steps = ["intended", "renamed", "settled", "committed"];

  async connect(): Promise<Tree> {
    return this.open().tree;
  }

  async addAccount(name: string): Promise<number> {
    return this.setup.user(name).id;
  }

  async limitEntries(account: string, entryLimit: number): Promise<void> {
    this.setup.store.accounts.change(account, { entryLimit });
  }

  async write(account: string, name: string, content: string): Promise<void> {
    await write(this.setup.login(account), `/home/${name}`, content);
  }

  async used(account: number): Promise<number> {
    this.setup.check();
    return this.setup.store.accounts.byId(account)!.used;
  }

  async kill(change: Change, step: string, account: number): Promise<void> {
    await this.runKilled(change, account, step);
  }
}

treeContract("local", () => Promise.resolve(new LocalTreeUnderTest()));
