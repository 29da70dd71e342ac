/** The bounds of the audit trail, and the records of logins in one isolate. */
import assert from "node:assert/strict";
import { Audit } from "../../../../core/local/account/audit.ts";
import { Database } from "../../../../core/local/database/database.ts";
import { auditBounds, type AuditEntry } from "../../../../core/storage/audit/audit.ts";
import { LoginRecords, type MergedEntry } from "../../../../core/storage/audit/login_records.ts";

const from = (address: string) => ({ account: null, address, door: "http" });
const failure = (account: string, address = "192.0.2.7"): AuditEntry => ({
  event: "login-failed",
  account,
  by: from(address),
});

Deno.test("each class of records has a bound of its own, which further records keep", () => {
  const data = Deno.makeTempDirSync({ prefix: "barge-audit-" });
  try {
    using db = new Database(data, { create: true });
    const audit = new Audit(db);
    audit.add({ event: "account-changed", account: "anna", by: from("192.0.2.1") });
    const fill = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
      INSERT INTO audit (class, event, details, at, last, count)
      SELECT 'failure', 'login-failed', '{}', 1, 9e15, 1 FROM n`;
    db.run(fill, auditBounds.failure + 500);
    const count = () => db.value<number>("SELECT count(*) FROM audit WHERE class = 'failure'")!;
    assert.equal(count(), auditBounds.failure + 500);
    for (let i = 0; i < 256; i++) audit.add(failure(`user${i}`));
    assert(count() <= auditBounds.failure + 256, "256 records are one look at the bounds at least");
    audit.prune(36_500);
    assert.equal(count(), auditBounds.failure);
    assert.equal(audit.list({ limit: 1, account: "user255" }).length, 1, "the newest stay");
    assert.equal(
      audit.list({ limit: 1, account: "anna" }).length,
      1,
      "so do those of other classes",
    );
  } finally {
    Deno.removeSync(data, { recursive: true });
  }
});

/** Records of logins with a clock that the test sets, and what they have written. */
class Written {
  now = Date.parse("2026-03-01T12:00:00Z");
  readonly all: MergedEntry[] = [];
  readonly records = new LoginRecords((entries) => {
    this.all.push(...entries);
    return Promise.resolve();
  }, () => this.now);

  counts(): unknown[] {
    return this.all.splice(0).map(({ entry, count }) => [entry.account, count]);
  }
}

Deno.test("the first login of a kind in a minute is written at once, the others as a number", async () => {
  const written = new Written();
  const { records } = written;
  for (let i = 0; i < 5; i++) await records.note(failure("anna"));
  assert.deepEqual(written.counts(), [["anna", 1]]);
  written.all.push(...records.take());
  assert.deepEqual(written.counts(), [["anna", 4]]);
  await records.note(failure("anna"));
  written.now += 60_000; // the next minute writes what is left of this one
  await records.note(failure("anna"));
  assert.deepEqual(written.counts(), [["anna", 1], ["anna", 1]]);
  assert.deepEqual(records.take(), []);
});

Deno.test("the failures of one address name eight accounts a minute at most", async () => {
  const written = new Written();
  for (let i = 0; i < 100; i++) await written.records.note(failure(`user${i}`));
  const named = written.all.map(({ entry }) => entry.account);
  assert.deepEqual(named, [...Array.from({ length: 8 }, (_, i) => `user${i}`), null]);
  await written.records.note(failure("user99", "198.51.100.1"));
  assert.equal(written.all.at(-1)!.entry.account, "user99", "another address has its own");
  written.records.take();
});

Deno.test("a login whose record can't be written fails, and the next one is tried again", async () => {
  let broken = true;
  let writes = 0;
  const records = new LoginRecords(() => {
    writes++;
    return broken ? Promise.reject(new Error("full")) : Promise.resolve();
  });
  await assert.rejects(records.note(failure("anna")), /full/);
  broken = false;
  await records.note(failure("anna"));
  assert.equal(writes, 2);
  records.take();
});
