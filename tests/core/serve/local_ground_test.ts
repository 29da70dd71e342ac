/** Tests what the supervisor itself does on a data directory. */
import assert from "node:assert/strict";
import { dayMs } from "../../../core/duration.ts";
import { Database } from "../../../core/local/database/database.ts";
import { LocalGround } from "../../../core/serve/local_ground.ts";
import { operator } from "../../../core/storage/audit/audit.ts";

Deno.test("a shorter time for records of the audit trail holds from a reload on", async () => {
  const data = await Deno.makeTempDir({ prefix: "barge-ground-" });
  using _ = { [Symbol.dispose]: () => Deno.removeSync(data, { recursive: true }) };
  const settings = {
    data,
    durability: "relaxed",
    allowRegister: false,
    defaultLimit: null,
    maxLimit: null,
    auditDays: 90,
  } as const;
  await using ground = await LocalGround.open({ settings, workers: 1, adopt: false });
  await ground.audit.add({ event: "server-started", account: null, by: operator, details: {} });
  using db = new Database(data);
  db.run("UPDATE audit SET last = ?", Date.now() - 2 * dayMs);
  await ground.maintain();
  assert.equal((await ground.audit.list({ limit: 10 })).length, 1);
  ground.adjust({ ...settings, auditDays: 1 });
  await ground.maintain();
  assert.equal((await ground.audit.list({ limit: 10 })).length, 0);
});
