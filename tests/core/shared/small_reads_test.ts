/** Reading small files that do not share an object. */
import assert from "node:assert/strict";
import { readSmall } from "../../../core/shared/tree/small_reads.ts";
import type { Place } from "../../../core/storage/place.ts";
import { hasEngines, SharedSetup } from "../../contract/store/_shared.ts";
import { store, text } from "../../contract/store/_suite_uploads.ts";

const files = 48;

Deno.test({
  name: "small files are read from the bucket a few at a time, and returned in their order",
  ignore: !hasEngines,
  async fn() {
    await using setup = await SharedSetup.make();
    const anna = await setup.addAccount("anna", null);
    const { parts, uploads } = setup.node();
    const places = Array.from({ length: files }, (_, i): Place => ({
      dir: "homes/anna",
      name: `f${i}`,
    }));
    // Files that are stored one after another have an object each.
    for (const [i, place] of places.entries()) await store(uploads, anna, text(`file ${i}`), place);
    let running = 0;
    let most = 0;
    const read = parts.packs.read.bind(parts.packs);
    const packs = new Proxy(parts.packs, {
      get: (target, name) =>
        name !== "read"
          ? Reflect.get(target, name, target)
          : async (...part: Parameters<typeof read>) => {
            most = Math.max(most, ++running);
            try {
              return await read(...part);
            } finally {
              running--;
            }
          },
    });
    const outcomes = await readSmall({ ...parts, packs }, places, 1_000_000);
    assert.ok(most > 1 && most <= 16, `${most} at the same time`);
    const texts = outcomes.map((outcome) =>
      outcome && "bytes" in outcome ? new TextDecoder().decode(outcome.bytes) : outcome
    );
    assert.deepEqual(texts, places.map((_, i) => `file ${i}`));
    await setup.check();
  },
});
