import assert from "node:assert/strict";
import type { Beginning } from "../../../../core/local/ledger/reservation.ts";
import { Setup } from "../../_setup.ts";

const names = Array.from({ length: 40 }, (_, i) => `file-${i}`);

/** Begins uploads of which some replace files. @returns their rows, in the order of the uploads */
function rowsOf(uploads: readonly string[], batch: boolean) {
  using setup = new Setup();
  const { ledger, reservations } = setup.store;
  const [anna, bob] = [setup.user("anna").id, setup.user("bob").id];
  const dir = "public";
  names.forEach((name, i) => {
    const file = { dir, name, sha256: "", modified: 0, ino: i, verified: true };
    if (i % 3 === 0) ledger.enter({ ...file, owner: i % 2 === 0 ? anna : bob, size: 100 + i });
  });
  const beginnings: Beginning[] = uploads.map((name) => ({
    upload: { dir, name, account: anna, size: 150, modified: null, holder: name },
    sealed: { size: 150, sha256: name, verified: true },
  }));
  const begun = batch
    ? reservations.begin(beginnings)
    : beginnings.flatMap((beginning) => reservations.begin([beginning]));
  assert.deepEqual(ledger.wrongSums(), []);
  return begun.map(({ id }) => ({ ...reservations.upload(id)!, id: 0, touched: 0 }));
}

Deno.test("a batch of many uploads makes the same rows as its uploads one by one", () => {
  for (const again of [[], ["file-0", "file-6", "file-0"]]) {
    const uploads = [...again, ...names];
    const rows = rowsOf(uploads, true);
    assert.deepEqual(rows, rowsOf(uploads, false));
    assert.deepEqual(rows.map(({ name }) => name), uploads);
    // The first upload to a path that replaces a file of its account has the file's size as credit.
    const credit = (name: string, i: number) =>
      names.indexOf(name) % 6 === 0 && uploads.indexOf(name) === i ? 100 + names.indexOf(name) : 0;
    assert.deepEqual(rows.map(({ credit }) => credit), uploads.map(credit));
  }
});
