import assert from "node:assert/strict";
import { relative } from "node:path";
import { finish, ROOT } from "../../scripts/run.ts";
import { findTests, makeEntries } from "../../scripts/run_tests.ts";

const script = `${ROOT}/scripts/run_tests.ts`;

/** Runs the script on test files with these texts. */
async function run(files: Record<string, string>, ...options: string[]) {
  const folder = await Deno.makeTempDir({ prefix: "barge-entries-" });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    const args = ["run", "--quiet", "--allow-all", script, ...options, folder];
    return await finish(Deno.execPath(), args, { cwd: ROOT });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const passes = 'Deno.test("it passes", () => {});';

Deno.test("a failing test of an entry is reported with its file, and the run fails", async () => {
  const fails = '\nDeno.test("it fails", () => {\n  throw new Error("no");\n});';
  const outcome = await run({ "a_test.ts": passes, "b_test.ts": fails, "c_test.ts": passes });
  assert.equal(outcome.code, 1);
  assert.match(outcome.stdout, / FAILURES \n\nit fails => \S+\/b_test\.ts:2:6\n/);
  assert.match(outcome.stdout, /^FAILED \| 2 passed \| 1 failed \(/m);
});

Deno.test("a test file that can't be loaded is reported, and the run fails", async () => {
  const outcome = await run({ "a_test.ts": 'throw new Error("at the top");', "b_test.ts": passes });
  assert.equal(outcome.code, 1);
  assert.match(outcome.stdout, /at the top[^]*\/a_test\.ts:1/);
});

Deno.test("options go to deno test, and the exit code of a run without failures is 0", async () => {
  const outcome = await run({ "a_test.ts": passes, "b_test.ts": passes }, "--filter=passes");
  assert.equal(outcome.code, 0, outcome.stdout);
  assert.match(outcome.stdout, /^ok \| 2 passed \| 0 failed \(/m);
});

Deno.test("each test file is in one entry, with others of its area", () => {
  const files = findTests([`${ROOT}/tests/cli`, `${ROOT}/tests`]);
  assert.equal(new Set(files).size, files.length);
  assert.ok(files.includes(`${ROOT}/tests/core/error_test.ts`));
  const entries = makeEntries(files);
  assert.deepEqual(entries.flatMap((entry) => entry.files).sort(), [...files].sort());
  for (const { name, files } of entries) {
    assert.ok(files.length <= 16, name);
    const areas = new Set(
      files.map((file) => relative(ROOT, file).split("/").slice(0, 2).join("/")),
    );
    assert.equal(areas.size, 1, name);
  }
  // The tests of the page share a browser.
  const page = files.filter((file) => file.startsWith(`${ROOT}/tests/core/door/http/page/`));
  assert.deepEqual(entries.find(({ files }) => files.includes(page[0]))?.files, page);
});
