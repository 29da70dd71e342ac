/** Storage on one machine keeps the promises that every storage makes of accounts and logins. */
import type { Account } from "../../../core/storage/account.ts";
import { Setup, write } from "../../core/_setup.ts";
import { banAfter, type People, peopleContract, type PeopleUnderTest } from "./_suite_people.ts";

class LocalUnderTest implements PeopleUnderTest {
  readonly #setup = new Setup({ banAfter });
  readonly #stores: Disposable[] = [];

  connect(): Promise<People> {
    const store = this.#setup.open();
    this.#stores.push(store);
    return Promise.resolve({ ...store.people, tree: store.tree });
  }

  async write({ name }: Account, file: string, content: string): Promise<void> {
    await write(this.#setup.login(name), `/home/${file}`, content);
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores) store[Symbol.dispose]();
    this.#setup[Symbol.dispose]();
    return Promise.resolve();
  }
}

peopleContract("local", () => Promise.resolve(new LocalUnderTest()));
