/** Refusals for want of room, in singular and plural. */
import assert from "node:assert/strict";
import { type Need, overQuota } from "../../../core/storage/over_quota.ts";

const anna = { name: "anna", used: 0, reserved: 0, quota: 1, entries: 1, entryLimit: 1 };

function messageOf(sums: Partial<typeof anna>, need: Need): string {
  return overQuota({ ...anna, ...sums }, need)!.message;
}

Deno.test("refusals have the singular for one byte and one entry", () => {
  assert.equal(messageOf({}, { bytes: 6 }), "needs 6 bytes, 1 is left");
  assert.equal(messageOf({ used: 1 }, { bytes: 1 }), "needs 1 byte, 0 are left");
  const growing = { bytes: 6, credit: 0 };
  assert.equal(messageOf({}, growing), "the upload is larger than the 1 byte that is left");
  assert.equal(
    messageOf({ used: 1 }, growing),
    "the upload is larger than the 0 bytes that are left",
  );
  const held = "; 1 is held by other uploads";
  assert.equal(messageOf({ reserved: 1 }, { bytes: 1 }), `needs 1 byte, 0 are left${held}`);
  const kinds = "(files, folders and partial uploads)";
  assert.equal(messageOf({}, { entries: 1 }), `needs 1 more entry, 1 of 1 is taken ${kinds}`);
  assert.equal(
    messageOf({ entries: 2, entryLimit: 3 }, { entries: 2 }),
    `needs 2 more entries, 2 of 3 are taken ${kinds}`,
  );
});
