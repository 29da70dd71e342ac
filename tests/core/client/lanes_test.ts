import assert from "node:assert/strict";
import { Lanes } from "../../../core/client/transfer/lanes.ts";
import { Proxy } from "../../_proxy.ts";
import { Setup } from "./_setup.ts";

Deno.test("lanes without work are kept alive while another one works", async () => {
  await using all = await Setup.start();
  await using proxy = new Proxy(all.server.address);
  await using first = await all.connect(proxy.address);
  await using second = await all.connect(proxy.address);
  const clients = [first, second];
  const lanes = new Lanes(clients.map((client, index) => ({ client, transfer: index })), 5);
  const sent = proxy.received[1];
  await lanes.start(async (index) => {
    assert.equal(index, 0);
    while (proxy.received[1] === sent) await new Promise((resolve) => setTimeout(resolve, 5));
  });
  await lanes.settled();
  assert.equal(second.closed, undefined);
});

Deno.test("lanes whose connection is closed get no files while another is open", async () => {
  await using all = await Setup.start();
  await using other = await all.connect();
  const lanes = new Lanes([{ client: other, transfer: "closed" }, {
    client: all.client,
    transfer: "open",
  }]);
  other.close();
  const taken: string[] = [];
  for (let i = 0; i < 3; i++) {
    await lanes.start((name) => {
      taken.push(name);
      return Promise.resolve();
    });
  }
  const drained: string[] = [];
  await lanes.each((name) => {
    drained.push(name);
    return Promise.resolve();
  });
  assert.deepEqual([taken, drained], [["open", "open", "open"], ["closed", "open"]]);
});
