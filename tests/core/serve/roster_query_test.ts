/** Workers list each other's connections through the supervisor. */
import assert from "node:assert/strict";
import {
  RosterBroker,
  RosterClient,
  type RosterMessage,
} from "../../../core/serve/roster_query.ts";
import type { ListedConnection } from "../../../core/watch/roster.ts";

interface Fake {
  postMessage(message: RosterMessage): void;
}

function present(account: string): ListedConnection {
  const nothing = { verb: null, path: null, bytes: 0 };
  return { account, door: "native", address: "127.0.0.1:1", since: 0, ...nothing };
}

Deno.test("all replies are used, and the wait for a silent worker is bounded", async () => {
  const supervisor = new RosterBroker<Fake>();
  const workers: Fake[] = [];
  const clients = ["anna", "bob", "cleo"].map((account) => {
    const worker: Fake = { postMessage: (message) => client.receive(message) };
    const post = (message: RosterMessage) => void supervisor.receive(message, worker, workers);
    const client = new RosterClient(post, () => [present(account)]);
    workers.push(worker);
    return client;
  });
  const names = async (i: number) => (await clients[i].others()).map(({ account }) => account);
  assert.deepEqual(await names(0), ["bob", "cleo"]);
  const [once, twice] = await Promise.all([names(1), names(1)]);
  assert.deepEqual([once, twice], [["anna", "cleo"], ["anna", "cleo"]]);
  workers.push({ postMessage() {/* it is dead */} });
  assert.deepEqual(await names(2), ["anna", "bob"]);
});

Deno.test("a stopped query of a silent supervisor is empty and leaves no timer", async () => {
  const alone = new RosterClient(() => {}, () => []);
  const others = alone.others();
  alone.stop();
  assert.deepEqual(await others, []);
});
