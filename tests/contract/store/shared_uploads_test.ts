/** Storage that many machines share keeps the promises that every storage makes of uploads. */
import type { Place } from "../../../core/storage/place.ts";
import type { Uploads } from "../../../core/storage/uploads.ts";
import { SharedTree } from "../../../core/shared/tree.ts";
import { SharedUploads } from "../../../core/shared/uploads.ts";
import { hasEngines, SharedSetup } from "./_shared.ts";
import { type StoreUnderTest, uploadsContract } from "./_suite_uploads.ts";

class SharedUnderTest implements StoreUnderTest {
  readonly steps = { store: [], commit: [] };
  readonly #setup: SharedSetup;

  constructor(setup: SharedSetup) {
    this.#setup = setup;
  }

  connect(): Promise<Uploads> {
    return Promise.resolve(new SharedUploads(this.#setup.node()));
  }

  addAccount(name: string, quota: number | null): Promise<number> {
    return this.#setup.addAccount(name, quota);
  }

  async sums(account: number): Promise<{ used: number; reserved: number }> {
    await this.#setup.check();
    const sql = "SELECT used, reserved FROM account WHERE id = $1";
    const [sums] = await this.#setup.first.db.all<{ used: number; reserved: number }>(sql, account);
    return { ...sums };
  }

  async content(place: Place): Promise<Uint8Array | undefined> {
    const tree = new SharedTree(this.#setup.first);
    if (!await tree.entry(place)) return undefined;
    return await (await tree.open(place, 0)).rest();
  }

  async staged(): Promise<number> {
    const [{ n }] = await this.#setup.first.db.all<{ n: number }>(
      "SELECT count(*) AS n FROM upload",
    );
    return n;
  }

  async race(account: number, processes: number, files: number, bytes: number): Promise<number[]> {
    const { race } = await import("./_race.ts");
    const nodes = Array.from({ length: processes }, () => new SharedUploads(this.#setup.node()));
    return await Promise.all(nodes.map((uploads, n) => race(uploads, account, n, files, bytes)));
  }

  kill(): Promise<void> {
    throw new Error("not yet");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#setup[Symbol.asyncDispose]();
  }
}

if (hasEngines) {
  uploadsContract("shared", async () => new SharedUnderTest(await SharedSetup.make()));
}
