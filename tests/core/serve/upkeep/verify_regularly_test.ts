/** Tests the changes of the regular verification. */
import assert from "node:assert/strict";
import type { Ground } from "../../../../core/serve/ground.ts";
import { RegularVerifier } from "../../../../core/serve/upkeep/verify_regularly.ts";

Deno.test("the end of a server ends the verification, also while other options are applied", async () => {
  let looks = 0;
  const verification = {
    take: () => Promise.resolve(void looks++),
    read: () => Promise.resolve({ finished: null, files: 0, bytes: 0, bad: 0 }),
  };
  const ground = { verification, metrics: { setGauge() {} } } as unknown as Ground;
  const verifier = new RegularVerifier(ground, new AbortController().signal);
  await verifier.change({ everyMs: 60_000, maxBytesPerSecond: 1 });
  const reloaded = verifier.change({ everyMs: 60_000, maxBytesPerSecond: 2 });
  const ended = verifier.change(undefined);
  await Promise.all([reloaded, ended]);
  // A timer of a verification that goes on would fail this test as well.
  assert.equal(looks, 1);
});
