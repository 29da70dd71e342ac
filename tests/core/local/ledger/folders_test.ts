/** The table of folders, entry limits, and the upgrade from tables without them. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { Accounts } from "../../../../core/local/account/accounts.ts";
import { usualEntries } from "../../../../core/storage/account_rules.ts";
import { Database, databaseFile } from "../../../../core/local/database/database.ts";
import { Folders } from "../../../../core/local/ledger/folders.ts";
import { Ledger } from "../../../../core/local/ledger/ledger.ts";
import { migrations } from "../../../../core/local/database/schema.ts";
import { foldersAndEntries } from "../../../../core/local/database/schema_folders.ts";
import { upgrade } from "../../../../core/local/upgrade.ts";
import { verify } from "../../../../core/repair/verify.ts";
import { Store } from "../../../../core/local/store.ts";
import { fails, Setup } from "../../_setup.ts";

const before = migrations.indexOf(foldersAndEntries);

/** A database with the tables of version 8. */
function old(data: string, script: string): void {
  using db = new DatabaseSync(`${data}/${databaseFile}`);
  for (const migration of migrations.slice(0, before)) db.exec(migration);
  db.exec("PRAGMA application_id = 0x62617267");
  db.exec(`PRAGMA user_version = ${before}`);
  db.exec(`
    INSERT INTO account (id, name, role, quota, salt, n, r, p, stored_key, server_key, created) VALUES
      (1, 'Anna', 'user', 1000, '', 1, 1, 1, '', '', 0),
      (2, 'bob', 'user', ${3 * 2 ** 30}, '', 1, 1, 1, '', '', 0),
      (3, 'root', 'admin', NULL, '', 1, 1, 1, '', '', 0)`);
  db.exec(script);
}

Deno.test("the upgrade makes folders rows, and counts the entries", async () => {
  const data = Deno.makeTempDirSync({ prefix: "barge-folders-" });
  try {
    const files = [
      ["homes/Anna", "a", 1],
      ["homes/Anna/d/ä ö/e", "b", 1],
      ["homes/Anna/d", "c", 1],
      ["homes/gone/x", "lost", null],
      ["public", "p", 2],
      ["public/d/e", "q", 2],
    ] as const;
    const rows = files.map(([dir, name, owner], i) => {
      Deno.mkdirSync(`${data}/${dir}`, { recursive: true });
      Deno.writeTextFileSync(`${data}/${dir}/${name}`, "12345");
      const { ino, mtime } = Deno.statSync(`${data}/${dir}/${name}`);
      return `('${dir}', '${name}', ${owner}, 5, '${i}', ${mtime!.getTime()}, ${ino})`;
    });
    for (const dir of ["homes/Anna/empty/deep", "homes/root", "public/empty", "staging"]) {
      Deno.mkdirSync(`${data}/${dir}`, { recursive: true });
    }
    old(
      data,
      `INSERT INTO file (dir, name, owner, size, sha256, modified, ino) VALUES ${rows};
      INSERT INTO upload (id, account, dir, name, want, credit, touched) VALUES
        (1, 1, 'homes/Anna/d', 'c', 9, 5, ${Date.now()}), (2, 1, 'homes/Anna/new', 'n', 0, 0, 0);
      INSERT INTO property VALUES ('homes/Anna/d', 'c', '', 'p', 1, '<p/>')`,
    );
    await fails("fatal", () => new Database(data), /older barge/);
    await upgrade(data, before);
    using db = new Database(data);
    const accounts = new Accounts(db).list().map((a) => [a.name, a.used, a.entries, a.entryLimit]);
    assert.deepEqual(accounts, [
      ["Anna", 15, 3 + 3 + 2 + 1, 100_000], // files; d, its two; empty, deep; the upload of n
      ["bob", 10, 2, 130_000],
      ["root", 0, 0, null],
    ]);
    const ledger = new Ledger(db);
    assert.deepEqual(ledger.wrongSums(), []);
    for (const [dir, name, owner] of files) {
      const row = ledger.file({ dir, name });
      assert.deepEqual([row?.dir, row?.owner, row?.size], [dir, owner, 5], name);
    }
    const folders = new Folders(db);
    assert.equal(folders.find({ dir: "homes/Anna/d", name: "ä ö" })?.owner, 1);
    assert.equal(folders.find({ dir: "homes", name: "Anna" })?.owner, null);
    assert.equal(folders.find({ dir: "public", name: "d" })?.owner, null);
    assert.deepEqual(db.all("PRAGMA foreign_key_check"), []);
    const settings = { data, durability: "relaxed", allowRegister: false } as const;
    using store = new Store({ ...settings, defaultLimit: null, maxLimit: null });
    const { problems } = await verify(store, { repair: false, patience: { orphan: 0 } });
    const found = problems.map(({ kind, path }) => `${kind} ${path}`);
    assert.deepEqual(found.filter((line) => !/upload|leftover/.test(line)), []);
  } finally {
    Deno.removeSync(data, { recursive: true });
  }
});

Deno.test("an account beyond the default entry limit gets twice its number by the upgrade", () => {
  const data = Deno.makeTempDirSync({ prefix: "barge-folders-" });
  try {
    old(
      data,
      `INSERT INTO file (dir, name, owner, size, sha256, modified, ino)
       WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100001)
       SELECT 'homes/Anna', i, 1, 0, '', 0, 0 FROM n`,
    );
    using db = new Database(data, { upgrade: true });
    const { entries, entryLimit } = new Accounts(db).get("anna");
    assert.deepEqual([entries, entryLimit], [100_001, 200_002]);
  } finally {
    Deno.removeSync(data, { recursive: true });
  }
});

Deno.test("an entry limit follows the quota until it is set", () => {
  using setup = new Setup();
  const { accounts } = setup.store;
  setup.user("anna", 1000);
  assert.equal(setup.account("anna").entryLimit, usualEntries(1000));
  accounts.change("anna", { limit: 20 * 2 ** 30 });
  assert.equal(setup.account("anna").entryLimit, 300_000);
  accounts.change("anna", { limit: null });
  assert.equal(setup.account("anna").entryLimit, null);
  accounts.change("anna", { entryLimit: 5 });
  accounts.change("anna", { limit: 20 * 2 ** 30 });
  assert.equal(setup.account("anna").entryLimit, 5);
  accounts.change("anna", { entryLimit: null });
  assert.equal(setup.account("anna").entryLimit, null);
});

Deno.test("a rename of a folder changes one row", () => {
  using setup = new Setup();
  const { db, folders, ledger } = setup.store;
  const file = { owner: null, size: 1, sha256: "", modified: 0, ino: 0, verified: true };
  for (const dir of ["public/a/b", "public/a/b/c"]) ledger.enter({ ...file, dir, name: "f" });
  const changes = () => db.get<{ n: number }>("SELECT total_changes() AS n")!.n;
  const start = changes();
  ledger.rename({ dir: "public", name: "a" }, { dir: "public", name: "z" });
  assert.equal(changes() - start, 1);
  assert.deepEqual(ledger.rowsAt({ dir: "public", name: "z" }).map((row) => row.dir).toArray(), [
    "public/z/b",
    "public/z/b/c",
  ]);
  assert.equal(ledger.knowsAny({ dir: "public", name: "a" }), false);
  assert.equal(folders.id("public/a"), undefined);
});

Deno.test("a path of any depth is found", () => {
  using setup = new Setup();
  const { db, folders } = setup.store;
  const parts = Array.from({ length: 60 }, (_, i) => `n${i}`);
  for (let depth = 0; depth <= parts.length; depth++) {
    const dir = ["public", ...parts.slice(0, depth)].join("/");
    assert.equal(folders.id(dir), depth === 0 ? 2 : undefined);
    const id = db.transaction(() => folders.need(dir));
    assert.deepEqual([folders.id(dir), folders.path(id, new Map())], [id, dir]);
    assert.equal(folders.id(`${dir}/other`), undefined);
  }
});
