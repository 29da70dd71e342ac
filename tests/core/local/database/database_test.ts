import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { BargeError } from "../../../../core/error.ts";
import { Database, databaseFile } from "../../../../core/local/database/database.ts";
import { databaseError } from "../../../../core/local/database/sqlite_error.ts";
import { applicationId, migrations } from "../../../../core/local/database/schema.ts";
import { fails } from "../../_setup.ts";
import { hold, runHelper } from "../_process.ts";

function temp(): Disposable & { readonly path: string; readonly file: string } {
  const path = Deno.makeTempDirSync({ prefix: "barge-database-" });
  const remove = () => Deno.removeSync(path, { recursive: true });
  return { path, file: `${path}/${databaseFile}`, [Symbol.dispose]: remove };
}

const meta = (db: Database) => db.all<{ key: string }>("SELECT key FROM meta").map((r) => r.key);
const insert = (db: Database, key: string) =>
  db.run("INSERT INTO meta (key, value) VALUES (?, 'x')", key);

Deno.test("a database is made and kept, readable by its owner only", () => {
  using dir = temp();
  Deno.chmodSync(dir.path, 0o755);
  {
    using db = new Database(dir.path, { create: true });
    insert(db, "a");
    for (const suffix of ["", "-wal", "-shm"]) {
      assert.equal(Deno.statSync(dir.file + suffix).mode! & 0o777, 0o600, suffix);
    }
    assert.equal(db.get<{ journal_mode: string }>("PRAGMA journal_mode")!.journal_mode, "wal");
  }
  using again = new Database(dir.path);
  assert.deepEqual(meta(again), ["a"]);
});

Deno.test("a missing database is refused without create", async () => {
  using dir = temp();
  await fails("not-found", () => new Database(dir.path));
  await fails("not-found", () => new Database(`${dir.path}/nowhere`));
  assert.deepEqual([...Deno.readDirSync(dir.path)], []);
});

Deno.test("an empty file, left by a crash, is migrated", () => {
  using dir = temp();
  Deno.writeTextFileSync(dir.file, "");
  using db = new Database(dir.path);
  assert.equal(
    db.get<{ user_version: number }>("PRAGMA user_version")!.user_version,
    migrations.length,
  );
  assert.equal(
    db.get<{ application_id: number }>("PRAGMA application_id")!.application_id,
    applicationId,
  );
});

Deno.test("a newer version is refused and not changed", async () => {
  using dir = temp();
  new Database(dir.path, { create: true })[Symbol.dispose]();
  const newer = new DatabaseSync(dir.file);
  newer.exec("PRAGMA user_version = 99");
  newer.close();
  await fails("fatal", () => new Database(dir.path), /newer barge \(version 99/);
});

Deno.test("another program's database is refused in any version, and not changed", async () => {
  for (const version of [0, 1, 99]) {
    using dir = temp();
    const other = new DatabaseSync(dir.file);
    other.exec(`CREATE TABLE theirs (x); PRAGMA user_version = ${version}`);
    other.close();
    const before = Deno.readFileSync(dir.file);
    for (const create of [true, false]) {
      await fails("fatal", () => new Database(dir.path, { create }), /another program/);
    }
    assert.deepEqual(Deno.readFileSync(dir.file), before);
  }
});

Deno.test("a damaged database is reported as damaged", async () => {
  using dir = temp();
  Deno.writeTextFileSync(dir.file, "this is not a database at all; ".repeat(200));
  await fails("fatal", () => new Database(dir.path), /damaged/);
});

Deno.test("overwritten pages are found when they are read", async () => {
  using dir = temp();
  new Database(dir.path, { create: true })[Symbol.dispose]();
  const content = Deno.readFileSync(dir.file);
  content.fill(0xa5, 4096);
  Deno.writeFileSync(dir.file, content);
  await fails("fatal", () => {
    using db = new Database(dir.path);
    db.all("SELECT * FROM account");
  }, /damaged/);
});

Deno.test("a database locked by another process is unavailable within the timeout, and can be read", async () => {
  using dir = temp();
  using db = new Database(dir.path, { create: true, busyTimeout: 150 });
  await using _lock = await hold(dir.file);
  const began = performance.now();
  await fails("unavailable", () => db.transaction(() => insert(db, "a")), /locked/);
  await fails("unavailable", () => insert(db, "a"), /locked/);
  assert(performance.now() - began < 9000, "it waits for 150 ms, and not for the usual 5 s, twice");
  assert.deepEqual(meta(db), []);
  using second = new Database(dir.path, { busyTimeout: 150 });
  assert.deepEqual(meta(second), []);
});

Deno.test("a failure of SQLite that can pass is unavailable, and a fault of a statement stays as it is", () => {
  const converted = (errcode: number | undefined, message: string) =>
    databaseError(
      Object.assign(new Error(message), { code: "ERR_SQLITE_ERROR", errcode }),
      "/data/accounts.db",
    );
  for (
    const [code, message] of [
      [7, "out of memory"],
      [9, "interrupted"],
      [15, "locking protocol"],
      [17, "database schema has changed"],
    ] as const
  ) {
    for (const errcode of [code, undefined]) {
      const error = converted(errcode, message);
      assert.ok(error instanceof BargeError && error.kind === "unavailable", message);
    }
  }
  assert.ok(!(converted(19, "constraint failed") instanceof BargeError));
});

Deno.test("processes that make the database and write at once all succeed", async () => {
  using dir = temp();
  const helpers = Array.from({ length: 4 }, (_, i) => runHelper("write", dir.path, `p${i}`, "50"));
  assert.deepEqual(await Promise.all(helpers), ["done", "done", "done", "done"]);
  using db = new Database(dir.path);
  assert.equal(meta(db).length, 200);
});

Deno.test("a transaction is all or nothing; a nested one is undone alone", () => {
  using dir = temp();
  using db = new Database(dir.path, { create: true });
  db.transaction(() => {
    insert(db, "kept");
    assert.throws(() =>
      db.transaction(() => {
        insert(db, "inner");
        db.transaction(() => insert(db, "innermost"));
        throw new Error("undo");
      }), /undo/);
    db.transaction(() => insert(db, "later"));
  });
  assert.deepEqual(meta(db), ["kept", "later"]);
  assert.throws(() =>
    db.transaction(() => {
      insert(db, "lost");
      throw new Error("undo");
    }), /undo/);
  assert.deepEqual(meta(db), ["kept", "later"]);
});

Deno.test("no statement runs after SQLite has rolled the transaction back", () => {
  using dir = temp();
  using db = new Database(dir.path, { create: true });
  assert.throws(() =>
    db.transaction(() => {
      insert(db, "before");
      try {
        // SQLite does this by itself when the disk is full.
        db.transaction(() =>
          db.run("INSERT OR ROLLBACK INTO meta (key, value) VALUES ('before', '')")
        );
      } catch { /* as a group does, which goes on with the next piece */ }
      db.transaction(() => insert(db, "after"));
    }), /UNIQUE/);
  assert.deepEqual(meta(db), []);
  insert(db, "usable");
  assert.deepEqual(meta(db), ["usable"]);
});

Deno.test("a check at the commit sees all changes, and can undo them", () => {
  using dir = temp();
  using db = new Database(dir.path, { create: true });
  const check = () => {
    if (meta(db).length > 1) throw new Error("too many");
  };
  db.transaction(() => {
    db.atCommit("few", check);
    insert(db, "a");
    insert(db, "b");
    db.run("DELETE FROM meta WHERE key = 'b'");
  });
  assert.throws(() =>
    db.transaction(() => {
      db.atCommit("few", check);
      insert(db, "b");
    }), /too many/);
  insert(db, "c");
  assert.deepEqual(meta(db), ["a", "c"]);
});

Deno.test("a secret survives a reopen, and can be read while the database is locked", async () => {
  using dir = temp();
  using db = new Database(dir.path, { create: true, busyTimeout: 100 });
  const secret = db.secret("share");
  assert.notEqual(secret, db.secret("ticket"));
  await using _lock = await hold(dir.file);
  assert.equal(db.secret("share"), secret);
});

Deno.test("a full disk gives no-space, tears nothing, and the database works again with room", async (t) => {
  using dir = temp();
  const mount = await new Deno.Command("mount", {
    args: ["-t", "tmpfs", "-o", "size=512k", "tmpfs", dir.path],
    stderr: "null",
  }).output().catch(() => undefined);
  if (!mount?.success) {
    return void await t.step({ name: "skipped: can't mount a tmpfs here", ignore: true, fn() {} });
  }
  try {
    using db = new Database(dir.path, { create: true });
    Deno.writeFileSync(`${dir.path}/ballast`, new Uint8Array(96 * 1024));
    let rows = 0;
    const fill = () => {
      for (; rows < 1000; rows++) {
        db.transaction(() => {
          insert(db, `${rows}-${"x".repeat(2000)}`);
        });
      }
    };
    await fails("no-space", fill, /disk is full/);
    assert.equal(meta(db).length, rows);
    Deno.removeSync(`${dir.path}/ballast`);
    insert(db, "again");
    assert.equal(meta(db).length, rows + 1);
  } finally {
    await new Deno.Command("umount", { args: [dir.path] }).output();
  }
});
