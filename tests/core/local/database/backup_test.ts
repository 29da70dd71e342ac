import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { backup } from "../../../../core/local/database/backup.ts";
import { Database } from "../../../../core/local/database/database.ts";
import { BargeError, type Kind } from "../../../../core/error.ts";
import { runHelper } from "../_process.ts";

/** A data directory with a database, and a folder for copies. */
class Place implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "barge-backup-" });
  readonly data = `${this.path}/data`;
  readonly db: Database;

  constructor() {
    Deno.mkdirSync(this.data);
    this.db = new Database(this.data, { create: true });
  }

  /** Returns the names in the folder for copies. */
  names(): string[] {
    return Array.from(Deno.readDirSync(this.path), ({ name }) => name)
      .filter((name) => name !== "data").sort();
  }

  [Symbol.dispose](): void {
    this.db[Symbol.dispose]();
    Deno.removeSync(this.path, { recursive: true });
  }
}

async function fails(kind: Kind, work: Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error) => error instanceof BargeError && error.kind === kind);
}

Deno.test("a copy beside writers is of one moment, sound, private, and one file", async () => {
  using place = new Place();
  const writers = ["a", "b"].map((name) => runHelper("write", place.data, name, "400"));
  let writing = true;
  const ended = Promise.all(writers).finally(() => writing = false);
  const seen: number[] = [];
  for (let n = 0; writing || n < 3; n++) {
    const path = `${place.path}/copy-${n}.db`;
    const { bytes, accounts, files } = await backup(place.data, path, { force: false });
    const { mode, size } = Deno.statSync(path);
    assert.deepEqual([mode! & 0o777, bytes, accounts, files], [0o600, size, 0, 0]);
    using copy = new DatabaseSync(path, { readOnly: true });
    let sum = 0;
    for (const name of ["a", "b"]) {
      // Each writer's rows came one a transaction: those up to some number are there, and no others.
      const row = copy.prepare(
        `SELECT count(*) AS n, max(CAST(substr(key, 3) AS INTEGER)) AS last FROM meta
         WHERE key LIKE '${name}-%'`,
      ).get() as { n: number; last: number | null };
      assert.equal(row.n, (row.last ?? -1) + 1);
      sum += row.n;
    }
    seen.push(sum);
    await new Promise((resolve) => setTimeout(resolve, 0)); // let the writers run
  }
  await ended;
  assert.deepEqual(seen, seen.toSorted((a, b) => a - b));
  assert.equal(place.names().length, seen.length);
  const last = `${place.path}/copy-last.db`;
  await backup(place.data, last, { force: false });
  Deno.mkdirSync(`${place.path}/restored`);
  Deno.renameSync(last, `${place.path}/restored/accounts.db`);
  using restored = new Database(`${place.path}/restored`);
  assert.equal(restored.get<{ n: number }>("SELECT count(*) AS n FROM meta")!.n, 800);
});

Deno.test("no file is replaced without force, and a failure leaves no file", async () => {
  using place = new Place();
  const path = `${place.path}/copy`;
  Deno.writeTextFileSync(path, "precious");
  Deno.mkdirSync(`${place.path}/folder`);
  Deno.symlinkSync("/dev/null", `${place.path}/link`);
  const before = place.names();
  const force = { force: true };
  await fails("exists", backup(place.data, path, { force: false }));
  await fails("exists", backup(place.data, `${place.path}/folder`, force));
  await fails("exists", backup(place.data, "/dev/null", force));
  await fails("usage", backup(place.data, `${place.data}/accounts.db`, force));
  await fails("no-directory", backup(place.data, `${place.path}/no/copy`, force));
  const stopped = AbortSignal.abort(new BargeError("interrupted", "interrupted"));
  await fails("interrupted", backup(place.data, path, { ...force, signal: stopped }));
  assert.deepEqual(place.names(), before);
  assert.equal(Deno.readTextFileSync(path), "precious");
  await backup(place.data, path, force);
  await backup(place.data, `${place.path}/link`, force);
  assert.deepEqual(place.names(), before);
  assert(Deno.lstatSync(`${place.path}/link`).isFile);
});

Deno.test("a damaged database is not copied, and the older copy stays", async () => {
  using place = new Place();
  const path = `${place.path}/copy`;
  place.db.transaction(() => {
    for (let i = 0; i < 2000; i++) place.db.run("INSERT INTO meta VALUES (?, ?)", `k${i}`, "v");
  });
  await backup(place.data, path, { force: false });
  const sound = Deno.readFileSync(path);
  place.db[Symbol.dispose](); // writes all of it into one file
  {
    using file = Deno.openSync(`${place.data}/accounts.db`, { write: true });
    file.seekSync(-3 * 4096, Deno.SeekMode.End);
    file.writeSync(new Uint8Array(2 * 4096).fill(0xff));
  }
  await assert.rejects(
    backup(place.data, path, { force: true }),
    (error) => error instanceof BargeError && ["digest", "fatal"].includes(error.kind),
  );
  assert.deepEqual(Deno.readFileSync(path), sound);
  assert.deepEqual(place.names(), ["copy"]);
  Object.assign(place, { db: { [Symbol.dispose]() {} } });
});
