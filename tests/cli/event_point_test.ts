/**
 * kill -9 between the delivery of an event and its record. fault_point_test.ts proves the events of changes that a
 * kill interrupts.
 */
import assert from "node:assert/strict";
import { startServer } from "../_server.ts";
import { until } from "../_observe.ts";
import { Receiver, waitingEvents } from "./_receiver.ts";

Deno.test("kill -9 after a receiver has taken an event, before that is recorded: delivered again", async () => {
  const data = Deno.makeTempDirSync({ prefix: "barge-event-" });
  await using receiver = new Receiver();
  const { args, env } = receiver;
  try {
    const fault = "kill-supervisor-at=delivered";
    // The first account's event is the first one. The kill may come before the server is ready.
    await startServer({ data, empty: true, args, env, fault }).then(
      ({ ended }) => ended,
      () => {},
    );
    const server = await startServer({ data, args, env });
    await until(() => waitingEvents(data) === 0);
    await server.kill("SIGTERM");
    const ids = receiver.taken.filter(({ event }) => event === "account-added").map(({ id }) => id);
    assert.equal(ids.length, 2);
    assert.equal(ids[0], ids[1]);
  } finally {
    Deno.removeSync(data, { recursive: true });
  }
});
