/** Storage that many machines share keeps the promises that every storage makes of accounts and logins. */
import type { Account } from "../../../core/storage/account.ts";
import { SharedAccounts } from "../../../core/shared/accounts.ts";
import { SharedLogins } from "../../../core/shared/logins.ts";
import { SharedShares } from "../../../core/shared/shares.ts";
import { SharedTree } from "../../../core/shared/tree.ts";
import { SharedUploads } from "../../../core/shared/uploads.ts";
import { hasEngines, SharedSetup } from "./_shared.ts";
import { banAfter, type People, peopleContract, type PeopleUnderTest } from "./_suite_people.ts";
import { store, text } from "./_suite_uploads.ts";

class SharedUnderTest implements PeopleUnderTest {
  readonly #setup: SharedSetup;

  constructor(setup: SharedSetup) {
    this.#setup = setup;
  }

  connect(): Promise<People> {
    const parts = this.#setup.node();
    return Promise.resolve({
      accounts: new SharedAccounts(parts),
      logins: new SharedLogins(parts, () => banAfter),
      shares: new SharedShares(parts),
      tree: new SharedTree(parts),
    });
  }

  async write({ id, name }: Account, file: string, content: string): Promise<void> {
    const uploads = new SharedUploads(this.#setup.first);
    await store(uploads, id, text(content), { dir: `homes/${name}`, name: file });
    await this.#setup.check();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#setup[Symbol.asyncDispose]();
  }
}

if (hasEngines) {
  peopleContract("shared", async () => new SharedUnderTest(await SharedSetup.make()));
}
