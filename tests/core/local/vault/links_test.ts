/** Links and other entries that a user of the machine may have put into the data directory. */
import assert from "node:assert/strict";
import { copy } from "../../../../core/session/copy.ts";
import { digest } from "../../../../core/session/digest.ts";
import { get } from "../../../../core/session/get.ts";
import { list } from "../../../../core/session/list.ts";
import { mkdir } from "../../../../core/session/mkdir.ts";
import { move } from "../../../../core/session/move.ts";
import { remove } from "../../../../core/session/remove.ts";
import type { Session } from "../../../../core/login/session.ts";
import { stat } from "../../../../core/session/stat.ts";
import type { StoredFile } from "../../../../core/storage/uploads.ts";
import { Vault } from "../../../../core/local/vault/vault.ts";
import { fails, Setup, upload, write } from "../../_setup.ts";

/** A folder outside of the data directory, with one file. */
class Outside implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "barge-outside-" });
  constructor() {
    Deno.writeTextFileSync(`${this.path}/secret`, "secret");
  }
  check(): void {
    assert.deepEqual(Array.from(Deno.readDirSync(this.path), (entry) => entry.name), ["secret"]);
    assert.equal(Deno.readTextFileSync(`${this.path}/secret`), "secret");
  }
  [Symbol.dispose](): void {
    this.check();
    Deno.removeSync(this.path, { recursive: true });
  }
}

async function entries(session: Session, path: string): Promise<string[]> {
  const names: string[] = [];
  for await (const batch of list(session, path, true)) names.push(...batch.map((e) => e.name));
  return names;
}

const mkdirRequest = (path: string) => ({ verb: "mkdir" as const, path, parents: true });
const digestRequest = (path: string) =>
  ({ verb: "digest", path, algorithm: "sha256", fresh: true }) as const;

/** Every verb, at a path that leads through or to something that is not to be followed. */
async function refusesAll({ store }: Setup, session: Session, path: string): Promise<void> {
  for (
    const work of [
      () => get(session, path, 0),
      () => write(session, path, "mine"),
      () => upload(session, path, new Uint8Array(300_000)),
      () => copy(session, path, "/home/copied", "always"),
      () => copy(session, "/home/ours", path, "always"),
      () => move(session, "/home/ours", path, "always"),
      () => move(session, path, "/home/moved", "always"),
      () => digest(session, digestRequest(path)),
    ]
  ) await fails("denied", work);
  assert.equal(store.ledger.wrongSums().length, 0);
}

Deno.test("a link to a file is not read, written, copied, moved or listed, and can be removed", async () => {
  using setup = new Setup();
  using outside = new Outside();
  const anna = setup.user("anna");
  await write(anna, "/home/ours", "ours");
  for (const target of [`${outside.path}/secret`, "nowhere", "loop", "ours"]) {
    Deno.symlinkSync(target, setup.disk("/home/loop"));
    await refusesAll(setup, anna, "/home/loop");
    await fails("denied", () => stat(anna, "/home/loop"));
    await fails("exists", () => mkdir(anna, mkdirRequest("/home/loop")));
    assert.deepEqual(await entries(anna, "/home"), ["ours"]);
    await remove(anna, "/home/loop", false);
    outside.check();
  }
  assert.equal(setup.read("/home/ours"), "ours");
});

Deno.test("a link to a folder, on the way or at its end, is not entered", async () => {
  using setup = new Setup();
  using outside = new Outside();
  const anna = setup.user("anna");
  await write(anna, "/home/ours", "ours");
  await mkdir(anna, mkdirRequest("/home/real/deep"));
  for (const target of [outside.path, "real", "../../public", "/", "link"]) {
    Deno.symlinkSync(target, setup.disk("/home/link"));
    await refusesAll(setup, anna, "/home/link/secret");
    for (const path of ["/home/link/secret", "/home/link/deep/x"]) {
      await fails("denied", () => stat(anna, path));
      await fails("denied", () => remove(anna, path, true));
      await fails("denied", () => mkdir(anna, mkdirRequest(path)));
      await fails("denied", () => entries(anna, path));
    }
    await fails("not-found", () => entries(anna, "/home/link"));
    assert.deepEqual(await entries(anna, "/home"), ["ours", "real", "real/deep"]);
    await remove(anna, "/home/link", true);
    outside.check();
  }
  assert(setup.exists("/home/real/deep"));
});

Deno.test("a removed folder's links are removed, not what they point to", async () => {
  using setup = new Setup();
  using outside = new Outside();
  const anna = setup.user("anna");
  await mkdir(anna, mkdirRequest("/home/d"));
  Deno.symlinkSync(outside.path, setup.disk("/home/d/link"));
  await fails("exists", () => remove(anna, "/home/d", false), /not empty/);
  await remove(anna, "/home/d", true);
  assert(!setup.exists("/home/d"));
  assert.deepEqual(setup.staged(), []);
});

Deno.test("users can't move or remove a folder in /public that has a link in it", async () => {
  using setup = new Setup();
  using outside = new Outside();
  const anna = setup.user("anna");
  await mkdir(anna, mkdirRequest("/public/d"));
  Deno.symlinkSync(outside.path, setup.disk("/public/d/link"));
  await fails("denied", () => remove(anna, "/public/d", true), /operator/);
  await fails("denied", () => move(anna, "/public/d", "/home/d", "never"), /operator/);
  await fails("denied", () => remove(anna, "/public/d/link", true));
});

Deno.test("a home or the staging folder that is a link is not written to", async () => {
  using setup = new Setup();
  using outside = new Outside();
  const anna = setup.user("anna");
  Deno.removeSync(`${setup.data}/homes/anna`, { recursive: true });
  Deno.symlinkSync(outside.path, `${setup.data}/homes/anna`);
  await fails("denied", () => write(anna, "/home/x", "x"));
  await fails("denied", () => get(anna, "/home/secret", 0));
  Deno.removeSync(`${setup.data}/homes/anna`);
  Deno.mkdirSync(`${setup.data}/homes/anna`);
  Deno.removeSync(`${setup.data}/staging`, { recursive: true });
  Deno.symlinkSync(outside.path, `${setup.data}/staging`);
  await fails("denied", () => write(anna, "/home/x", "x"));
  assert(!setup.exists("/home/x"));
});

Deno.test("a link laid in the place of staged bytes is replaced, not written through", async () => {
  using setup = new Setup();
  using outside = new Outside();
  const anna = setup.user("anna");
  for (let id = 1; id <= 3; id++) {
    Deno.symlinkSync(`${outside.path}/secret`, `${setup.data}/staging/${id}`);
  }
  await write(anna, "/home/a", "small");
  await upload(anna, "/home/b", new Uint8Array(300_000));
  await upload(anna, "/home/c", new Uint8Array(300_000), { size: null });
  assert.equal(setup.read("/home/a"), "small");
  for (const name of ["a", "b", "c"]) assert(Deno.lstatSync(setup.disk(`/home/${name}`)).isFile);
});

Deno.test("pipes, sockets and devices are neither opened nor waited for", async (t) => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await write(anna, "/home/ours", "ours");
  const make = async (...args: string[]) =>
    (await new Deno.Command(args[0], { args: args.slice(1), stderr: "null" }).output()).success;
  const path = setup.disk("/home/odd");
  const socket = Deno.listen({ transport: "unix", path });
  await refusesAll(setup, anna, "/home/odd");
  socket.close(); // which removes it
  assert(await make("mkfifo", path));
  await refusesAll(setup, anna, "/home/odd");
  assert.deepEqual(await entries(anna, "/home"), ["ours"]);
  await remove(anna, "/home/odd", false);
  if (!await make("mknod", path, "c", "1", "5")) {
    return void await t.step({ name: "devices skipped: not root", ignore: true, fn() {} });
  }
  await refusesAll(setup, anna, "/home/odd");
});

Deno.test("the vault's root may itself be reached through a link", () => {
  using setup = new Setup();
  using outside = new Outside();
  const link = `${setup.data}/link`;
  Deno.symlinkSync(outside.path, link);
  const vault = new Vault(link, true);
  assert.equal(vault.find({ dir: "", name: "secret" })?.type, "file");
});

Deno.test("the facts of an opened file are its own, also if its name changes at that moment", () => {
  using setup = new Setup();
  using outside = new Outside();
  const vault = new Vault(setup.data, true);
  const place = { dir: "homes", name: "a" };
  const path = `${vault.root}/homes/a`;
  const other = `${vault.root}/homes/b`;
  const replace = () => Deno.renameSync(other, path);
  const link = () => {
    Deno.removeSync(path);
    Deno.symlinkSync(`${outside.path}/secret`, path);
  };
  /** Runs steps just before and after the system opens the file. */
  const open = (before: () => void, after: () => void) => {
    Deno.writeTextFileSync(path, "old");
    Deno.writeTextFileSync(other, "longer");
    const { openSync } = Deno;
    Deno.openSync = (...args) => {
      before();
      const file = openSync(...args);
      after();
      return file;
    };
    try {
      const { file, found } = vault.open(place);
      using _ = file;
      assert.equal(found.ino, file.statSync().ino);
      return found.size;
    } finally {
      Deno.openSync = openSync;
    }
  };
  const nothing = () => {};
  assert.equal(open(nothing, nothing), 3);
  assert.equal(open(replace, nothing), 6);
  assert.equal(open(nothing, replace), 3);
  assert.throws(() => open(link, nothing), { kind: "denied" });
});

Deno.test("many files at once find what is at their names", async () => {
  using setup = new Setup();
  using outside = new Outside();
  const anna = setup.user("anna");
  await mkdir(anna, mkdirRequest("/home/folder"));
  await write(anna, "/home/file", "old");
  Deno.symlinkSync("nowhere", setup.disk("/home/dangling"));
  Deno.symlinkSync(`${outside.path}/secret`, setup.disk("/home/link"));
  const free = Array.from({ length: 40 }, (_, i) => `free-${i}`);
  const names = [...free, "dangling", "link", "folder", "file", "twice", "twice"];
  const ends = await Promise.allSettled(
    names.map((name) =>
      write(anna, `/home/${name}`, name, { overwrite: name === "twice" ? "never" : "always" })
    ),
  );
  const fate = (end: PromiseSettledResult<StoredFile>) =>
    end.status === "fulfilled" ? end.value.replaced : end.reason.kind;
  assert.deepEqual(ends.map(fate), [
    ...free.map(() => false),
    ...["denied", "denied", "exists", true, false, "exists"],
  ]);
  assert.equal(Deno.readLinkSync(setup.disk("/home/dangling")), "nowhere");
  assert.equal(setup.read("/home/file"), "file");
  assert.equal(setup.store.ledger.wrongSums().length, 0);
});
