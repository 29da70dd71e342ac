/** Storage that many machines share keeps the promises that every storage makes of second factors. */
import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import { codeAt, newSecret } from "../../../core/protocol/totp.ts";
import { verifier } from "../../core/_setup.ts";
import { hasEngines, SharedSetup } from "./_shared.ts";
import { factorsContract, type FactorsUnderTest } from "./_suite_factors.ts";

class SharedFactorsUnderTest implements FactorsUnderTest {
  readonly #setup: SharedSetup;

  constructor(setup: SharedSetup) {
    this.#setup = setup;
  }

  get events() {
    return this.#setup.node().events;
  }

  connect() {
    return Promise.resolve(this.#setup.node().people);
  }

  async rows(): Promise<string> {
    return JSON.stringify(await this.#setup.first.db.all("SELECT * FROM account"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#setup[Symbol.asyncDispose]();
  }
}

if (hasEngines) {
  factorsContract("shared", async () => new SharedFactorsUnderTest(await SharedSetup.make()));
}

Deno.test({
  name: "shared: the secret is sealed for its account",
  ignore: !hasEngines,
  async fn() {
    await using setup = await SharedSetup.make();
    const { accounts, factors, logins } = setup.people;
    const secret = newSecret();
    for (const name of ["anna", "bob"]) {
      await accounts.add({ name, role: "user", limit: null, verifier });
    }
    const { account, credential } = (await logins.byPassword("anna"))!;
    const code = codeAt(secret, Date.now());
    const by = { account: "anna", address: null, door: null };
    await factors.enable({ id: account.id, credential }, { secret, code, recovery: [] }, by);
    const { db } = setup.first;
    const rows = JSON.stringify(await db.all("SELECT * FROM account"));
    assert.ok(!rows.includes(secret));
    await db.all(
      `UPDATE account SET totp_step = 0,
         totp_secret = (SELECT totp_secret FROM account WHERE name = 'anna') WHERE name = 'bob'`,
    );
    const { id: bob } = await accounts.get("bob");
    await assert.rejects(
      () => factors.use(bob, code),
      (error) => error instanceof BargeError && error.kind === "fatal",
    );
  },
});
