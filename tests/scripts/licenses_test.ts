import { deepStrictEqual, ok } from "node:assert/strict";
import { packages } from "../../scripts/licenses.ts";
import { ROOT } from "../../scripts/run.ts";
import licenses from "../../cmd/_licenses.json" with { type: "json" };

const RENEW = "run `deno task licenses`";

Deno.test("licenses: each package in the executable is listed at its locked version", async () => {
  const locked = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.lock`)).npm;
  // A package with peers has theirs behind its own version there.
  const versions = new Set(Object.keys(locked).map((key) => key.replace(/(?<=.@[^_]*)_.*$/, "")));
  const carried = (await packages(ROOT)).map(({ name, version }) => `${name}@${version}`);
  const listed = licenses.map(({ name, version }) => `${name}@${version}`);
  deepStrictEqual(listed.slice(2), carried, RENEW);
  for (const one of carried) ok(versions.has(one), `${one} is not in deno.lock`);
});

Deno.test("licenses: barge and the runtime come first, and each entry has a text", async () => {
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  deepStrictEqual(
    licenses.slice(0, 2).map(({ name, version }) => `${name}@${version}`),
    [`barge@${version}`, `deno@${Deno.version.deno}`],
    RENEW,
  );
  for (const { name, license, text } of licenses) {
    ok(license.length > 0 && text.length > 100, `${name} has no license`);
  }
});
