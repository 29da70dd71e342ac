/** Storage that many machines share keeps the promises that every storage makes of uploads. */
import assert from "node:assert/strict";
import type { Place } from "../../../core/storage/place.ts";
import type { Uploads } from "../../../core/storage/uploads.ts";
import { SharedTree } from "../../../core/shared/tree/tree.ts";
import { hasEngines, SharedSetup } from "./_shared.ts";
import {
  commit,
  declared,
  file,
  type Step,
  type StoreUnderTest,
  text,
  uploadsContract,
} from "./_suite_uploads.ts";

class SharedUnderTest implements StoreUnderTest {
  /** A number tells which transaction of the process it is. */
  readonly steps = {
    store: ["sent", "written", "committed"],
    commit: [
      ...["written/1", "committed/1", "written/2", "committed/2", "sent"],
      ...["written/3", "committed/3", "written/4", "committed/4"],
    ],
  };
  readonly midway = "written";
  readonly #setup: SharedSetup;

  constructor(setup: SharedSetup) {
    this.#setup = setup;
  }

  connect(): Promise<Uploads> {
    return Promise.resolve(this.#setup.node().uploads);
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
    const runs = Array.from(
      { length: processes },
      () => this.#setup.run("race", "never", `${account}`, `${files}`, `${bytes}`),
    );
    return (await Promise.all(runs)).map(({ code, stdout, stderr }) => {
      assert.equal(code, 0, stderr);
      return Number(stdout);
    });
  }

  async kill(how: "store" | "commit", at: Step, account: number, bytes: Uint8Array) {
    await this.#setup.killed(how, at, `${account}`, new TextDecoder().decode(bytes));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#setup[Symbol.asyncDispose]();
  }
}

if (hasEngines) {
  uploadsContract("shared", async () => new SharedUnderTest(await SharedSetup.make()));
}

Deno.test({
  name: "shared: a node that resumes another one's upload gets all bytes that it has gathered",
  ignore: !hasEngines,
  async fn() {
    await using setup = await SharedSetup.make();
    const anna = await setup.addAccount("anna", null);
    const [here, there] = [setup.node().uploads, setup.node().uploads];
    await using _serving = await here.serve();
    const first = await here.begin(declared(anna, 8), { keep: 0 });
    await first.body.write(text("the "));
    const second = await there.begin(declared(anna, 8), { keep: Infinity });
    assert.equal(second.body.size, 4);
    assert.equal(first.takenOver, true);
    await second.body.write(text("file"));
    await commit(second);
    await first.detach();
    assert.equal((await there.partial(anna, file))?.id, undefined);
  },
});
