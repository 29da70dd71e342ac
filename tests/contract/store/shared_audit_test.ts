/** Storage that many machines share keeps the promises that every storage makes of the audit trail. */
import type { AuditEntry } from "../../../core/storage/audit/audit.ts";
import { SharedUploads } from "../../../core/shared/upload/uploads.ts";
import { hasEngines, SharedSetup } from "./_shared.ts";
import { auditContract, type AuditUnderTest } from "./_suite_audit.ts";
import type { People } from "./_suite_people.ts";
import { from } from "./_suite_tree.ts";
import { storeRecorded } from "./_suite_uploads.ts";

class SharedUnderTest implements AuditUnderTest {
  readonly #setup: SharedSetup;

  constructor(setup: SharedSetup) {
    this.#setup = setup;
  }

  connect(): Promise<People> {
    const { people, tree } = this.#setup.node();
    return Promise.resolve({ ...people, tree });
  }

  async changeKilled(anna: number): Promise<void> {
    await this.#setup.killed("quota", "written", `${anna}`);
  }

  async writeRecorded(account: number, record: AuditEntry): Promise<void> {
    const uploads = new SharedUploads(this.#setup.first);
    await storeRecorded(uploads, account, from, record);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#setup[Symbol.asyncDispose]();
  }
}

if (hasEngines) {
  auditContract("shared", async () => new SharedUnderTest(await SharedSetup.make()));
}
