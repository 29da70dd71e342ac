/** The program of --on-commit gets sound facts and regular files only, whatever a worker wrote to the rows. */
import assert from "node:assert/strict";
import { Vault } from "../../../core/local/vault/vault.ts";
import { commitProgram } from "../../../core/serve/hooks/commit_program.ts";
import { prepareData } from "../../../core/serve/data.ts";
import { committedFile } from "../../../core/serve/hooks/uploaded_file.ts";
import { Scripts, unix } from "./_hook.ts";

const facts = {
  event: "commit",
  account: "anna",
  path: "/home/a",
  size: 1,
  sha256: "0".repeat(64),
  modified: "2026-01-02T03:04:05.000Z",
  verified: true,
  door: "native",
  replaced: false,
  time: "2026-01-02T03:04:05.000Z",
};

/** Rows that only a forger writes, with the reason why the program does not run. */
const forged: Record<string, readonly [text: string, why: RegExp]> = {
  "no JSON": ["{", /not one of barge's/],
  "no object": ['"commit"', /not one of barge's/],
  "another event": [JSON.stringify({ ...facts, event: "move" }), /not one of barge's/],
  "a path on disk": [JSON.stringify({ ...facts, file: "/etc/shadow" }), /not one of barge's/],
  "an account of no name": [JSON.stringify({ ...facts, account: "../.." }), /not one of barge's/],
  "a path of no space": [JSON.stringify({ ...facts, path: "/etc/shadow" }), /not one of barge's/],
  "a digest of any text": [JSON.stringify({ ...facts, sha256: "$(reboot)" }), /not one of barge's/],
  "a home": [JSON.stringify({ ...facts, path: "/home" }), /not a file's path/],
  "a link": [JSON.stringify({ ...facts, path: "/home/link" }), /regular file/],
  "a file behind a link": [JSON.stringify({ ...facts, path: "/home/etc/passwd" }), /link/],
};

Deno.test({ name: "a forged row runs no program", ignore: !unix }, async (t) => {
  using scripts = new Scripts();
  const data = prepareData(await Deno.makeTempDir({ prefix: "barge-forged-" }));
  try {
    Deno.mkdirSync(`${data}/homes/anna/folder`, { recursive: true });
    Deno.writeTextFileSync(`${data}/homes/anna/a`, "a");
    Deno.symlinkSync("/etc/passwd", `${data}/homes/anna/link`);
    Deno.symlinkSync("/etc", `${data}/homes/anna/etc`);
    const vault = new Vault(data, false);
    let current = true;
    const deliver = commitProgram([
      scripts.write("program", 'cat >> "$D/told"; exit $(cat "$D/code")'),
    ], {
      timeout: 60_000,
    }, {
      committedFile: (file) => committedFile(vault, file),
      fetchCommitted: () => Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve() }),
      isCurrent: () => Promise.resolve(current),
    });
    const stop = new AbortController().signal;
    const run = (text: string) => deliver({ id: "1-2", facts: text }, stop);
    Deno.writeTextFileSync(`${scripts.dir}/code`, "0");
    for (const [name, [text, why]] of Object.entries(forged)) {
      await t.step(name, async () => {
        const delivery = await run(text);
        assert.ok(delivery.outcome === "refused");
        assert.match(delivery.why, why);
      });
    }
    assert.ok(!scripts.has("told"));
    await t.step("a sound row runs it, with the path that the server builds", async () => {
      assert.deepEqual(await run(JSON.stringify(facts)), { outcome: "delivered" });
      const told = JSON.parse(scripts.read("told"));
      assert.deepEqual(told, { ...facts, file: `${data}/homes/anna/a`, id: "1-2" });
    });
    await t.step("a folder that has the name meanwhile is not named", async () => {
      Deno.removeSync(`${scripts.dir}/told`);
      await run(JSON.stringify({ ...facts, path: "/home/folder" }));
      assert.equal(JSON.parse(scripts.read("told")).file, `${data}/.gone`);
    });
    await t.step(
      "a run that fails is tried again while the file is there, and else given up",
      async () => {
        Deno.writeTextFileSync(`${scripts.dir}/code`, "3");
        const failed = await run(JSON.stringify(facts));
        assert.ok(failed.outcome === "failed" && failed.fault === "event");
        current = false;
        const refused = await run(JSON.stringify(facts));
        assert.ok(refused.outcome === "refused");
        assert.match(refused.why, /ended with 3 for \/home\/a of anna; the file is gone/);
      },
    );
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});
