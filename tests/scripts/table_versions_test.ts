/** The documents name the versions of the tables: they have to be those of the program. */
import { deepStrictEqual } from "node:assert/strict";
import { migrations as local } from "../../core/local/database/schema.ts";
import { migrations as shared } from "../../core/shared/database/schema.ts";
import { ROOT } from "../../scripts/run.ts";

/** Returns the numbers that a pattern finds in a document. */
async function numbersIn(file: string, pattern: RegExp): Promise<number[]> {
  const text = (await Deno.readTextFile(`${ROOT}/${file}`)).replaceAll(/\s+/g, " ");
  return Array.from(text.matchAll(pattern), ([, ...numbers]) => numbers.map(Number)).flat();
}

Deno.test("the documents name the version of the tables of a data directory", async () => {
  const version = local.length;
  const upgraded = /upgraded from version 3 to (\d+);|"to":(\d+),|this one has (\d+)\)/g;
  const numbers = (await numbersIn("docs/upgrade.md", upgraded)).filter((n) => !isNaN(n));
  deepStrictEqual(numbers, [version, version, version]);
  const logged = /The database has version (\d+) of its tables/g;
  deepStrictEqual(await numbersIn("CHANGELOG.md", logged), [version]);
});

Deno.test("the documents name the version of the shared tables, and the oldest that can use it", async () => {
  const version = shared.length;
  const { oldest } = shared.at(-1)!;
  const own = /this barge have version (\d+), for programs that know version (\d+) or later/g;
  deepStrictEqual(await numbersIn("docs/cluster.md", own), [version, oldest]);
  const refusal =
    /database have version (\d+), for programs that know version (\d+) or later; this barge knows version (\d+)/g;
  const later = [version + 2, version + 1, version];
  deepStrictEqual(await numbersIn("docs/cluster.md", refusal), later);
  const logged = /machines share has version (\d+) of its tables/g;
  deepStrictEqual(await numbersIn("CHANGELOG.md", logged), [version]);
});
