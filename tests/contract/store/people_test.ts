// deno-lint-ignore-file require-await -- other storage answers later
/** Storage on one machine keeps the promises that every storage makes of accounts and logins. */
import type { Account } from "../../../core/storage/account.ts";
import { write } from "../../core/_setup.ts";
import { LocalUnderTest } from "./_local.ts";
import { banAfter, type People, peopleContract, type PeopleUnderTest } from "./_suite_people.ts";

class LocalPeopleUnderTest extends LocalUnderTest implements PeopleUnderTest {
  async connect(): Promise<People> {
    const { people, tree } = this.open();
    return { ...people, tree };
  }

  async write({ name }: Account, file: string, content: string): Promise<void> {
    await write(this.setup.login(name), `/home/${file}`, content);
  }
}

peopleContract("local", () => Promise.resolve(new LocalPeopleUnderTest({ banAfter })));
