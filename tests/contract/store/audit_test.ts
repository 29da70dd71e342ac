// deno-lint-ignore-file require-await -- other storage answers later
/** Storage on one machine keeps the promises that every storage makes of the audit trail. */
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
