/** docs/doctor.md names every check. */
import assert from "node:assert/strict";
import { commonChecks, localChecks, sharedChecks } from "../../../core/doctor/checks.ts";

Deno.test("docs/doctor.md has a row for the id of every check, and for no other", () => {
  const page = Deno.readTextFileSync(new URL("../../../docs/doctor.md", import.meta.url));
  const [, ...sections] = page.split("\n## Checks of ");
  const rows = Array.from(sections.join("").matchAll(/^\| `([a-z-]+)` \|/gm), ([, id]) => id);
  const ids = [...localChecks, ...sharedChecks, ...commonChecks].map(({ id }) => id);
  assert.deepEqual(rows.toSorted(), [...new Set(ids)].toSorted());
});
