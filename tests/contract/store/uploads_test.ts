// deno-lint-ignore-file require-await -- other storage answers later
/** Storage on one machine keeps the promises that every storage makes of uploads. */
import assert from "node:assert/strict";
import type { Place } from "../../../core/storage/place.ts";
import type { Uploads } from "../../../core/storage/uploads.ts";
import { LocalUnderTest } from "./_local.ts";
import { type Step, type StoreUnderTest, uploadsContract } from "./_suite_uploads.ts";

class LocalUploadsUnderTest extends LocalUnderTest implements StoreUnderTest {
  readonly steps = {
    store: ["sealed", "staged", "synced", "renamed", "settled", "committed"],
    commit: ["staged", "synced", "sealed", "renamed", "settled", "committed"],
  };
  readonly midway = "renamed";

  async connect(): Promise<Uploads> {
    return this.open().uploads;
  }

  async addAccount(name: string, quota: number | null): Promise<number> {
    return this.setup.user(name, quota).id;
  }

  async sums(account: number): Promise<{ used: number; reserved: number }> {
    this.setup.check();
    const { used, reserved } = this.setup.store.accounts.byId(account)!;
    return { used, reserved };
  }

  async content({ dir, name }: Place): Promise<Uint8Array | undefined> {
    try {
      return await Deno.readFile(`${this.setup.data}/${dir}/${name}`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  async staged(): Promise<number> {
    return this.setup.staged().length;
  }

  async race(
    account: number,
    processes: number,
    files: number,
    bytes: number,
  ): Promise<number[]> {
    const run = () => this.run("race", account, files, bytes);
    const runs = await Promise.all(Array.from({ length: processes }, run));
    return runs.map(({ code, stdout, stderr }) => {
      assert.equal(code, 0, stderr);
      return Number(stdout);
    });
  }

  async kill(how: "store" | "commit", at: Step, account: number, bytes: Uint8Array): Promise<void> {
    await this.runKilled(how, account, at, new TextDecoder().decode(bytes));
  }
}

uploadsContract("local", () => Promise.resolve(new LocalUploadsUnderTest()));
