/** Storage that many machines share keeps the promises that every storage makes of accounts and logins. */
import type { Account } from "../../../core/storage/account.ts";
import { SharedUploads } from "../../../core/shared/upload/uploads.ts";
import { hasEngines, SharedSetup } from "./_shared.ts";
import { type People, peopleContract, type PeopleUnderTest } from "./_suite_people.ts";
import { store, text } from "./_suite_uploads.ts";

class SharedUnderTest implements PeopleUnderTest {
  readonly #setup: SharedSetup;

  constructor(setup: SharedSetup) {
    this.#setup = setup;
  }

  connect(): Promise<People> {
    const { people, tree } = this.#setup.node();
    return Promise.resolve({ ...people, tree });
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
