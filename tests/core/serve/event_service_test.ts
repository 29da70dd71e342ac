/** The delivery of events in the supervisor, on a real data directory. */
import assert from "node:assert/strict";
import { EventService } from "../../../core/serve/event_service.ts";
import type { Ground } from "../../../core/serve/ground.ts";
import { until } from "../../_observe.ts";
import { Setup, write } from "../_setup.ts";

Deno.test("events that became too old while no server ran are counted as dropped", async () => {
  const target = { name: "all", commitsOnly: false };
  using setup = new Setup({ events: [target] });
  const { db, events, metrics, settings } = setup.store;
  await write(setup.user("anna"), "/home/f", "x");
  const waiting = async () => (await events.list({}, 10)).length;
  const count = await waiting();
  assert.equal(count, 2); // the account, and the file
  db.run("UPDATE event SET at = 0");
  const service = EventService.start({ events, metrics, settings } as Ground, {
    webhooks: [{ target, url: "http://127.0.0.1:8/" }],
    ...{ secrets: [], timeout: 1000, jobs: 1, maxEvents: 10, maxAgeMs: 86_400_000 },
  });
  try {
    await until(async () => await waiting() === 0);
    await until(() => metrics.gauges().eventsDropped === count);
  } finally {
    await service.stop(0);
  }
});
