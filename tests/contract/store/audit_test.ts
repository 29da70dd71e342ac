// deno-lint-ignore-file require-await -- other storage answers later
/** Storage on one machine keeps the promises that every storage makes of the audit trail. */
import assert from "node:assert/strict";
import type { AuditEntry } from "../../../core/storage/audit/audit.ts";
import { LocalUnderTest } from "./_local.ts";
import { auditContract, type AuditUnderTest } from "./_suite_audit.ts";
import { banAfter, type People } from "./_suite_people.ts";
import { from } from "./_suite_tree.ts";
import { storeRecorded } from "./_suite_uploads.ts";

class LocalAuditUnderTest extends LocalUnderTest implements AuditUnderTest {
  async connect(): Promise<People> {
    const { people, tree } = this.open();
    return { ...people, tree };
  }

  async changeKilled(anna: number): Promise<void> {
    await this.runKilled("quota", anna, "recorded");
  }

  async writeRecorded(account: number, record: AuditEntry): Promise<void> {
    await storeRecorded(this.setup.store.uploads, account, from, record);
  }
}

auditContract("local", () => Promise.resolve(new LocalAuditUnderTest({ banAfter })));

Deno.test("local: the next start records the changes of files that a killed worker has made on disk", async () => {
  await using storage = new LocalUnderTest({ auditFiles: true });
  const { id } = storage.setup.user("anna");
  const { audit } = storage.setup.store.people;
  await storage.runKilled("store", id, "renamed", "12345");
  const [stored] = await audit.list({ limit: 1 });
  assert.deepEqual([stored.event, stored.account], ["commit", "anna"]);
  assert.deepEqual([stored.details.size, stored.details.recovered], [5, true]);

  await storeRecorded(storage.setup.store.uploads, id, from, stored);
  await storage.runKilled("move", id, "renamed");
  const [moved] = await audit.list({ limit: 1 });
  assert.equal(moved.event, "move");
  assert.deepEqual(moved.details, {
    place: "homes/anna/from",
    to: "homes/anna/to",
    recovered: true,
  });
});
