/** Workers that ask each other who is connected, through the supervisor. */
import assert from "node:assert/strict";
import { type Gathering, SupervisorGatherer, WorkerGatherer } from "../../../core/serve/roster_query.ts";
import type { Present } from "../../../core/watch/roster.ts";

interface Fake {
  postMessage(message: Gathering): void;
}

function present(account: string): Present {
  const nothing = { verb: null, path: null, bytes: 0 };
  return { account, door: "native", address: "127.0.0.1:1", since: 0, ...nothing };
}

Deno.test("all that answer are heard, and who is silent is not waited for long", async () => {
  const supervisor = new SupervisorGatherer<Fake>();
  const workers: Fake[] = [];
  const gatherers = ["anna", "bob", "cleo"].map((account) => {
    const worker: Fake = { postMessage: (message) => gatherer.take(message) };
    const post = (message: Gathering) => void supervisor.take(message, worker, workers);
    const gatherer = new WorkerGatherer(post, () => [present(account)]);
    workers.push(worker);
    return gatherer;
  });
  const names = async (i: number) => (await gatherers[i].others()).map(({ account }) => account);
  assert.deepEqual(await names(0), ["bob", "cleo"]);
  const [once, twice] = await Promise.all([names(1), names(1)]);
  assert.deepEqual([once, twice], [["anna", "cleo"], ["anna", "cleo"]]);
  workers.push({ postMessage() {/* it is dead */} });
  assert.deepEqual(await names(2), ["anna", "bob"]);
});

Deno.test("a supervisor that is silent leaves the worker with its own; nothing is left behind", async () => {
  const alone = new WorkerGatherer(() => {}, () => []);
  const asked = alone.others();
  alone.stop();
  assert.deepEqual(await asked, []);
});
