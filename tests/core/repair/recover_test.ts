/**
 * A kill at each point of each change, and the next start: the change is on disk as a whole or not at
 * all, the ledger and the quota agree with the disk, and another start has nothing to do.
 */
import assert from "node:assert/strict";
import type { Session } from "../../../core/login/session.ts";
import { mkdir } from "../../../core/session/mkdir.ts";
import { expire, recover, type Recovered } from "../../../core/repair/recover.ts";
import { keepPartialMs } from "../../../core/local/ledger/upload_rows.ts";
import { trashName } from "../../../core/local/vault/staging.ts";
import { stat } from "../../../core/session/stat.ts";
import { begin, bytes, request, Setup, sha256, upload, write } from "../_setup.ts";

const folder = (path: string) => ({ verb: "mkdir" as const, path, parents: true });
const old = "the old content";
const fresh = "the new content, which is longer";

/** Returns all that a start could change. */
function state(setup: Setup): unknown {
  const { db } = setup.store;
  const tables = ["account", "file", "upload", "intent"];
  const walk = (path: string): string[] =>
    Array.from(Deno.readDirSync(path)).sort((a, b) => a.name < b.name ? -1 : 1).flatMap((entry) => {
      const inner = `${path}/${entry.name}`;
      if (entry.isDirectory) return [inner, ...walk(inner)];
      return [`${inner} ${Deno.lstatSync(inner).ino}`];
    });
  return [
    tables.map((table) => db.all(`SELECT * FROM ${table} ORDER BY 1, 2`)),
    ...["homes", "public", "staging"].map((space) => walk(`${setup.data}/${space}`)),
  ];
}

/** Starts twice; the second start must change nothing. */
async function start(setup: Setup): Promise<Recovered> {
  const recovered = await recover(setup.store);
  setup.check();
  assert.deepEqual(setup.store.intents.intents(), []);
  const first = state(setup);
  const again = await recover(setup.store);
  assert.deepEqual(state(setup), first);
  // A partial upload without a writer waits; the second start settles nothing.
  assert.deepEqual(again, { changes: 0, settled: 0, resumable: 0, dropped: 0 });
  return recovered;
}

/** Makes an upload over an old file, at the point of the kill. */
interface Killed {
  readonly sealed: boolean;
  /** Returns the staged bytes; undefined for none. */
  readonly staged?: string;
  /** Returns the file's bytes. */
  readonly there?: string;
  /** Reports whether the staged bytes have both names. */
  readonly claimed?: boolean;
}

function kill(setup: Setup, anna: Session, { sealed, staged, there, claimed }: Killed): number {
  const { reservations, vault } = setup.store;
  const account = anna.id;
  const place = { dir: "homes/anna", name: "a" };
  const size = fresh.length;
  const declared = { ...place, account, size, modified: null, holder: "dead" };
  const [{ id }] = reservations.begin([{ upload: declared }]);
  if (sealed) reservations.seal(id, "dead", { size, sha256: sha256(fresh), verified: true });
  if (staged !== undefined) Deno.writeTextFileSync(`${setup.data}/staging/${id}`, staged);
  if (claimed) {
    Deno.removeSync(setup.disk("/home/a"));
    Deno.linkSync(`${setup.data}/staging/${id}`, setup.disk("/home/a"));
  }
  if (there === undefined) return id;
  Deno.writeTextFileSync(`${setup.data}/staging/new`, there); // another inode, as by a rename
  vault.rename({ dir: "staging", name: "new" }, place);
  return id;
}

const killed: [string, Killed, string, { used: number; reserved: number } & Partial<Recovered>][] =
  [
    ["begun", { sealed: false }, old, { used: 15, reserved: 0, dropped: 1 }],
    ["receiving", { sealed: false, staged: "the new" }, old, {
      used: 15,
      reserved: 0,
      resumable: 1,
    }],
    [
      "received",
      { sealed: false, staged: fresh },
      old,
      { used: 15, reserved: 17, resumable: 1 },
    ],
    ["sealed, nothing staged", { sealed: true }, old, { used: 15, reserved: 0, dropped: 1 }],
    ["sealed", { sealed: true, staged: fresh }, old, { used: 15, reserved: 17, resumable: 1 }],
    [
      "sealed, the power took a part",
      { sealed: true, staged: "" },
      old,
      { used: 15, reserved: 0, dropped: 2 },
    ],
    ["renamed", { sealed: true, there: fresh }, fresh, { used: 32, reserved: 0, settled: 1 }],
    [
      "renamed by half",
      { sealed: true, staged: fresh, claimed: true },
      fresh,
      { used: 32, reserved: 0, settled: 1, dropped: 1 },
    ],
  ];

for (const [name, facts, content, { used, reserved, ...expected }] of killed) {
  Deno.test(`killed in an upload: ${name}`, async () => {
    using setup = new Setup();
    const anna = setup.user("anna", 100);
    await write(anna, "/home/a", old);
    kill(setup, anna, facts);
    const recovered = await start(setup);
    assert.deepEqual(recovered, { changes: 0, settled: 0, resumable: 0, dropped: 0, ...expected });
    assert.equal(setup.read("/home/a"), content);
    assert.equal((await stat(anna, "/home/a")).entry?.sha256, sha256(content));
    const account = setup.account("anna");
    assert.deepEqual([account.used, account.reserved], [used, reserved]);
    // The client resumes the upload, or begins again.
    const staged = facts.there === undefined && !facts.claimed ? facts.staged ?? "" : "";
    const going = await begin(anna, request("/home/a", { size: fresh.length }));
    assert.equal(going.offset, staged.length);
    await going.write(bytes(fresh.slice(going.offset)));
    await going.commit(sha256(fresh), true);
    setup.check();
    assert.deepEqual([setup.account("anna").used, setup.staged()], [fresh.length, []]);
  });
}

Deno.test("an old file of the same size is not taken for an upload whose bytes were lost", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const size = 300_000;
  await upload(anna, "/home/a", new Uint8Array(size).fill(1));
  const { reservations } = setup.store;
  const account = anna.id;
  const place = { dir: "homes/anna", name: "a" };
  const declared = { ...place, account, size, modified: null, holder: "dead" };
  const [{ id }] = reservations.begin([{ upload: declared }]);
  const lost = sha256(new Uint8Array(size).fill(2));
  reservations.seal(id, "dead", { size, sha256: lost, verified: true });
  assert.equal((await start(setup)).dropped, 1);
  assert.equal((await stat(anna, "/home/a")).entry?.sha256, sha256(new Uint8Array(size).fill(1)));
});

Deno.test("a move killed before the rename did nothing; after it the ledger follows", async () => {
  for (const happened of [false, true]) {
    for (const path of ["a", "d"]) {
      using setup = new Setup();
      const anna = setup.user("anna");
      await mkdir(anna, folder("/home/d"));
      await write(anna, "/home/a", "a");
      await write(anna, "/home/d/x", "xx");
      if (path === "a") await write(anna, "/home/new", "replaced");
      const [from, to] = [path, "new"].map((name) => ({ dir: "homes/anna", name }));
      setup.store.intents.intend("move", from, to);
      if (happened) setup.store.vault.rename(from, to);
      assert.equal((await start(setup)).changes, happened ? 1 : 0);
      const moved = path === "a" ? "/home/new" : "/home/new/x";
      const content = path === "a" ? "a" : "xx";
      if (happened) assert.equal((await stat(anna, moved)).entry?.sha256, sha256(content));
      else assert(setup.exists(`/home/${path}`));
      const total = path === "d" ? 3 : happened ? 3 : 11;
      assert.equal(setup.account("anna").used, total);
    }
  }
});

Deno.test("a removal killed before the rename did nothing; after it the ledger follows", async () => {
  for (const happened of [false, true]) {
    using setup = new Setup();
    const anna = setup.user("anna");
    await mkdir(anna, folder("/home/d/e"));
    await write(anna, "/home/d/x", "xx");
    await write(anna, "/home/d/e/y", "yyy");
    const place = { dir: "homes/anna", name: "d" };
    const id = setup.store.intents.intend("remove", place, { dir: "staging", name: "" });
    if (happened) setup.store.vault.rename(place, { dir: "staging", name: trashName(id) });
    const { changes, dropped } = await start(setup);
    assert.deepEqual([changes, dropped], happened ? [1, 1] : [0, 0]);
    assert.equal(setup.exists("/home/d"), !happened);
    assert.equal(setup.account("anna").used, happened ? 0 : 5);
    assert.deepEqual(setup.staged(), []);
  }
});

Deno.test("an open removal does not remove a file that came later", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await write(anna, "/home/a", "old");
  const place = { dir: "homes/anna", name: "a" };
  const id = setup.store.intents.intend("remove", place, { dir: "staging", name: "" });
  setup.store.vault.rename(place, { dir: "staging", name: trashName(id) });
  await write(anna, "/home/a", "later");
  await start(setup);
  assert.equal((await stat(anna, "/home/a")).entry?.sha256, sha256("later"));
});

Deno.test("an open move of a dead worker does not move a file that came later", async () => {
  using setup = new Setup({ auditFiles: true });
  const anna = setup.user("anna");
  for (const path of ["a", "d"]) {
    const [from, to] = [path, `new-${path}`].map((name) => ({ dir: "homes/anna", name }));
    setup.store.intents.intend("move", from, to); // the bytes are gone
  }
  await write(anna, "/home/new-a", "later");
  await mkdir(anna, folder("/home/new-d"));
  await write(anna, "/home/new-d/x", "later, too");
  assert.equal((await start(setup)).changes, 0);
  const recorded = await setup.store.people.audit.list({ limit: 100 });
  assert.deepEqual(recorded.filter(({ event }) => event === "move"), []);
  assert.equal((await stat(anna, "/home/new-a")).entry?.sha256, sha256("later"));
  assert.equal((await stat(anna, "/home/new-d/x")).entry?.sha256, sha256("later, too"));
  assert.equal(setup.account("anna").used, 15);
});

Deno.test("staged bytes of no upload, of a removed account, or older than a week are deleted", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 100);
  const bob = setup.user("bob", 100);
  for (
    const [session, path] of [[anna, "/home/old"], [anna, "/home/new"], [bob, "/home/b"]] as const
  ) {
    const going = await begin(session, request(path, { size: 20 }));
    await going.write(bytes("12345"));
    await going.detach();
  }
  setup.store.accounts.remove("bob");
  const { db } = setup.store;
  const week = Date.now() - keepPartialMs - 1;
  db.run("UPDATE upload SET touched = ? WHERE name = 'old'", week);
  Deno.writeTextFileSync(`${setup.data}/staging/99`, "of no upload");
  Deno.mkdirSync(`${setup.data}/staging/removed-7/sub`, { recursive: true });
  Deno.symlinkSync("/", `${setup.data}/staging/98`);
  const recovered = await start(setup);
  // The old upload and its bytes, bob's bytes, and the three files of the test.
  assert.deepEqual(recovered, { changes: 0, settled: 0, resumable: 0, dropped: 6 });
  assert.equal(setup.staged().length, 1);
  assert.equal(setup.account("anna").reserved, 5);
});

Deno.test("a running server drops uploads that nobody has resumed for a week", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  for (const name of ["cut", "dead", "sealed", "new"]) {
    const going = await begin(anna, request(`/home/${name}`, { size: 20 }));
    await going.write(bytes("12345"));
    await going.detach();
  }
  const { db } = setup.store;
  db.run("UPDATE upload SET touched = 0 WHERE name <> 'new'");
  db.run("UPDATE upload SET holder = 'dead' WHERE name = 'dead'");
  db.run("UPDATE upload SET holder = 'dead', sha256 = '' WHERE name = 'sealed'");
  expire(setup.store);
  const left = setup.store.reservations.uploads().map(({ name }) => name);
  assert.deepEqual(left, ["sealed", "new"]); // the next start settles a sealed upload
  assert.equal(setup.staged().length, 2);
});

Deno.test("wrong sums are corrected", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await write(anna, "/home/a", "12345");
  setup.store.db.run("UPDATE account SET used = 77, reserved = 5");
  await start(setup);
  assert.deepEqual([setup.account("anna").used, setup.account("anna").reserved], [5, 0]);
});

Deno.test("more staged bytes than reserved do not pass the quota", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 10);
  const going = await begin(anna, request("/home/a", { size: 10 }));
  await going.write(bytes("1234567890"));
  await going.detach();
  setup.store.db.run("UPDATE upload SET want = 3"); // a power failure lost the commit, not the bytes
  await write(anna, "/home/b", "1234567");
  await start(setup);
  const { used, reserved } = setup.account("anna");
  assert(used + reserved <= 10);
});

Deno.test("an upload that is linked to its file, and moved since, is not resumed", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const id = kill(setup, anna, { sealed: true, staged: fresh });
  Deno.linkSync(`${setup.data}/staging/${id}`, setup.disk("/home/moved"));
  const recovered = await recover(setup.store);
  assert.deepEqual(recovered, { changes: 0, settled: 0, resumable: 0, dropped: 2 });
  assert.deepEqual(setup.staged(), []);
  const going = await begin(anna, request("/home/a", { size: 3 }));
  assert.equal(going.offset, 0);
  await going.write(bytes("abc"));
  await going.commit(sha256("abc"), true);
  assert.equal(setup.read("/home/moved"), fresh);
});
