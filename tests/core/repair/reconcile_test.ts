import assert from "node:assert/strict";
import { mkdir } from "../../../core/session/mkdir.ts";
import { move } from "../../../core/session/move.ts";
import { reconcile } from "../../../core/repair/reconcile.ts";
import { remove } from "../../../core/session/remove.ts";
import { stat } from "../../../core/session/stat.ts";
import { Setup, sha256, write } from "../_setup.ts";

const folder = (path: string) => ({ verb: "mkdir" as const, path, parents: true });

async function verify(setup: Setup, repair = false): Promise<string[]> {
  const { problems } = await reconcile(setup.store, { repair });
  assert(problems.every((problem) => problem.repaired === repair));
  return problems.map(({ path, what }) => `${path}: ${what}`).sort();
}

Deno.test("changes by hand are found, and a repair enters them in the ledger", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 1000);
  const bob = setup.user("bob", 1000);
  await mkdir(anna, folder("/home/d/e"));
  await mkdir(anna, folder("/home/gone"));
  for (const name of ["same", "d/deleted", "d/longer", "d/e/touched", "gone/x", "now-a-folder"]) {
    await write(anna, `/home/${name}`, "12345");
  }
  await write(bob, "/public/changed", "12345");
  assert.deepEqual(await verify(setup), []);

  Deno.removeSync(setup.disk("/home/d/deleted"));
  Deno.removeSync(setup.disk("/home/gone"), { recursive: true });
  Deno.writeTextFileSync(setup.disk("/home/d/longer"), "1234567");
  Deno.utimeSync(setup.disk("/home/d/e/touched"), 1, 1);
  Deno.writeTextFileSync(setup.disk("/public/changed"), "54321");
  Deno.utimeSync(setup.disk("/public/changed"), 1, 1);
  Deno.writeTextFileSync(setup.disk("/home/d/added"), "123");
  Deno.writeTextFileSync(setup.disk("/public/added"), "123");
  Deno.removeSync(setup.disk("/home/now-a-folder"));
  Deno.mkdirSync(setup.disk("/home/now-a-folder"));
  Deno.writeTextFileSync(`${setup.data}/homes/not-a-home`, "");
  Deno.symlinkSync("same", setup.disk("/home/link"));
  setup.store.db.run("UPDATE account SET used = used + 1 WHERE name = 'bob'");

  const found = [
    "bob: its sums are wrong: used should be 5, reserved 0, entries 1",
    "homes/anna/d/added: on disk, and not in the ledger",
    "homes/anna/d/deleted: in the ledger, and not on disk",
    "homes/anna/d/e/touched: was changed by hand",
    "homes/anna/d/longer: was changed by hand: 7 bytes, 5 in the ledger",
    "homes/anna/gone/x: in the ledger, and not on disk",
    "homes/anna/gone: a folder in the ledger, and not on disk",
    "homes/anna/now-a-folder: a folder on disk, and not in the ledger",
    "homes/anna/now-a-folder: in the ledger, and not on disk",
    "public/added: on disk, and not in the ledger",
    "public/changed: was changed by hand",
  ];
  assert.deepEqual(await verify(setup), found);
  assert.deepEqual(await verify(setup, true), found);
  assert.deepEqual(await verify(setup), []);
  setup.check();
  assert.equal(setup.account("anna").used, 5 + 7 + 5 + 3);
  assert.equal(setup.account("anna").entries, 4 + 3); // d, d/e, now-a-folder
  assert.equal(setup.account("bob").used, 5);
  assert.equal((await stat(anna, "/home/d/longer")).entry?.sha256, sha256("1234567"));
  assert.equal((await stat(bob, "/public/changed")).entry?.owner, "bob");
  assert.equal((await stat(bob, "/public/added")).entry?.owner, null);
  assert.equal(setup.read("/home/d/added"), "123");
});

Deno.test("a folder that became a link or a file is reported as missing", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  for (const name of ["link", "file"]) {
    await mkdir(anna, folder(`/home/${name}/sub`));
    await write(anna, `/home/${name}/x`, "x");
    await write(anna, `/home/${name}/sub/y`, "y");
    Deno.removeSync(setup.disk(`/home/${name}`), { recursive: true });
  }
  Deno.symlinkSync("/etc", setup.disk("/home/link"));
  Deno.writeTextFileSync(setup.disk("/home/file"), "f");
  assert.equal((await verify(setup, true)).length, 5 + 4);
  assert.deepEqual(await verify(setup), []);
  assert.deepEqual([setup.account("anna").used, setup.account("anna").entries], [1, 1]);
});

Deno.test("reconciling beside writers of another isolate reports no difference", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  using other = setup.open();
  const busy = setup.login("anna", other);
  await mkdir(anna, folder("/home/d"));
  let running = true;
  const writers = [0, 1, 2].map(async (n) => {
    for (let i = 0; running; i++) {
      await write(busy, `/home/d/f${n}-${i % 5}`, `${i}`.repeat(1 + i % 9));
      if (i % 3 === 0) await move(busy, `/home/d/f${n}-${i % 5}`, `/home/m${n}`, "always");
      if (i % 7 === 0) await remove(busy, `/home/m${n}`, false).catch(() => {});
    }
  });
  const alarms: string[] = [];
  for (let i = 0; i < 15; i++) alarms.push(...await verify(setup, i % 2 === 1));
  running = false;
  await Promise.all(writers);
  assert.deepEqual(alarms, []);
  setup.check();
});

Deno.test("reconciling stops when its signal is aborted", async () => {
  using setup = new Setup();
  setup.user("anna");
  const options = { repair: false, signal: AbortSignal.abort(new Error("stop")) };
  await assert.rejects(() => reconcile(setup.store, options), /stop/);
});
