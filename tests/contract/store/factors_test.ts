// deno-lint-ignore-file require-await -- other storage answers later
/** Storage on one machine keeps the promises that every storage makes of second factors. */
import { LocalUnderTest } from "./_local.ts";
import { factorsContract, type FactorsUnderTest } from "./_suite_factors.ts";

class LocalFactorsUnderTest extends LocalUnderTest implements FactorsUnderTest {
  readonly events = this.setup.store.events;

  async connect() {
    return this.open().people;
  }

  async rows(): Promise<string> {
    return JSON.stringify(this.setup.store.db.all("SELECT * FROM account"));
  }
}

factorsContract("local", () => Promise.resolve(new LocalFactorsUnderTest()));
