/** SECURITY.md names the tests that show its promises: they have to exist, under those names. */
import { deepStrictEqual, ok } from "node:assert/strict";
import { ROOT } from "../../scripts/run.ts";

Deno.test("security: each test that SECURITY.md names exists", async () => {
  const text = await Deno.readTextFile(`${ROOT}/SECURITY.md`);
  const rows = [...text.matchAll(/^\|.*\| `(?<file>tests\/\S+)` \| (?<name>.+) \|$/gm)];
  ok(rows.length > 50, `only ${rows.length} rows can be read`);
  const missing: string[] = [];
  for (const { file, name } of rows.map(({ groups }) => groups!)) {
    const source = await Deno.readTextFile(`${ROOT}/${file}`).catch(() => "");
    if (!source.includes(`"${name}"`) && !source.includes(`\`${name}\``)) {
      missing.push(`${file}: ${name}`);
    }
  }
  deepStrictEqual(missing, []);
});
