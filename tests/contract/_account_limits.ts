/** Every door's promise of accounts that end, and of those that log in from some networks only. */
import assert from "node:assert/strict";
import { until } from "../_observe.ts";
import type { AccountChange } from "../../core/storage/accounts.ts";
import { pattern, Peer } from "../core/door/_peer.ts";
import { Refused } from "./_door.ts";
import type { Promised, Stage } from "./_suite.ts";

/** Each with an account of its own, as those of _suite.ts. */
export const accountLimitPromises: readonly Promised[] = [
  {
    name: "an account ends at its time, with its connections and transfers",
    work: (stage) => shutsOut(stage, { expires: Date.now() - 1 }, { expires: null }),
  },
  {
    name: "an account is refused at addresses that it may not log in from",
    work: (stage) => shutsOut(stage, { from: ["192.0.2.0/24"] }, { from: ["127.0.0.0/8", "::1"] }),
  },
];

/** Checks that a change shuts an account out, with its open connections, until another one. */
async function shutsOut(stage: Stage, change: AccountChange, reverse: AccountChange) {
  const { door, server, account, token } = stage;
  const visit = () => door.visit(server, account, token);
  await using idle = await visit();
  await using sending = await visit();
  await idle.put("/home/f", pattern(10));
  const finish = await sending.begin("/home/g", pattern(700_000), 300_000);
  await until(async () => await server.heldUploads() === 1);

  await server.changeUser(account, change);
  await assert.rejects(() => idle.put("/home/late", pattern(10)));
  await idle.ended?.();
  await until(async () => await server.heldUploads() === 0);
  await assert.rejects(finish);
  await assert.rejects(visit, Refused);

  await server.changeUser(account, reverse);
  await using again = await visit();
  assert.deepEqual((await again.list("/home")).map(({ name }) => name), ["f"]);
  // Later steps count staged bytes.
  using native = await Peer.open(server.address, token);
  await native.ask({ verb: "drop", path: "/home/g" });
}
