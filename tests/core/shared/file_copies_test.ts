/** Copies that wait together are made in one transaction. */
import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import { hasEngines, SharedSetup } from "../../contract/store/_shared.ts";
import { declared, file, guard, store, text } from "../../contract/store/_suite_uploads.ts";

Deno.test({
  name: "copies at the same time succeed or fail each by itself, and never exceed the quota",
  ignore: !hasEngines,
  async fn() {
    await using setup = await SharedSetup.make();
    const anna = await setup.addAccount("anna", 500);
    const { db } = setup.first;
    const nodes = [setup.node().uploads, setup.node().uploads];
    await store(nodes[0], anna, text("ten bytes!"));
    const places = Array.from({ length: 100 }, (_, i) => ({ dir: "homes/anna", name: `c${i}` }));
    const missing = { dir: "homes/anna", name: "missing" };
    const nowhere = { dir: "homes/anna/none", name: "f" };
    const again = () => nodes[0].copy(file, declared(anna, null, places[0]), guard(places[0]));
    const [first, second] = await Promise.all([again(), again()]);
    assert.deepEqual([first.replaced, second.replaced].sort(), [false, true]);
    const copies = [
      nodes[0].copy(missing, declared(anna, null, places[0]), guard(places[0])),
      nodes[1].copy(file, declared(anna, null, nowhere), guard(nowhere)),
      ...places.map((place, i) =>
        nodes[i % 2].copy(file, declared(anna, null, place), guard(place))
      ),
    ];
    const outcomes = (await Promise.allSettled(copies)).map((outcome) => {
      if (outcome.status === "fulfilled") return "copied";
      const { reason } = outcome;
      return reason instanceof BargeError ? reason.kind : String(reason);
    });
    assert.deepEqual(outcomes.splice(0, 2), ["not-found", "no-directory"]);
    assert.deepEqual(new Set(outcomes), new Set(["copied", "over-quota"]));
    assert.equal(outcomes.filter((outcome) => outcome === "copied").length, 49);
    const [sums] = await db.all<{ used: number; copies: number }>(
      `SELECT used, (SELECT count(*) FROM node WHERE sha256 IS NOT NULL) AS copies
       FROM account WHERE id = $1`,
      anna,
    );
    assert.deepEqual({ ...sums }, { used: 500, copies: 50 });
    await setup.check();
  },
});
