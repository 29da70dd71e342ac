/** The attributes of open files, and their fate under renames and removals. */
import assert from "node:assert/strict";
import { Open, Status, Type } from "../../../../core/door/sftp/packet.ts";
import { SftpHere } from "./_here.ts";
import { refused, type SftpPeer } from "./_peer.ts";

const { READ, WRITE, CREAT, TRUNC, EXCL } = Open;
const bytes = (text: string) => new TextEncoder().encode(text);
const long = 1_000_000_000;

const fstat = async (peer: SftpPeer, file: Uint8Array) =>
  (await peer.ask(Type.FSTAT, (p) => p.bytes(file))).reader.attrs();
const fset = (peer: SftpPeer, file: Uint8Array, attrs: object) =>
  peer.ask(Type.FSETSTAT, (p) => p.bytes(file).attrs(attrs));
const set = (peer: SftpPeer, path: string, attrs: object) =>
  peer.ask(Type.SETSTAT, (p) => p.text(path).attrs(attrs));
const posixRename = (peer: SftpPeer, from: string, to: string) =>
  peer.extended("posix-rename@openssh.com", (p) => p.text(from).text(to));
const rename = (peer: SftpPeer, from: string, to: string) =>
  peer.ask(Type.RENAME, (p) => p.text(from).text(to));
const unlink = (peer: SftpPeer, path: string) => peer.ask(Type.REMOVE, (p) => p.text(path));
const rmdir = (peer: SftpPeer, path: string) => peer.ask(Type.RMDIR, (p) => p.text(path));
const mkdir = (peer: SftpPeer, path: string) => peer.ask(Type.MKDIR, (p) => p.text(path).attrs({}));
const put = async (peer: SftpPeer, path: string, text: string) => {
  const file = await peer.open(path, WRITE | CREAT | TRUNC);
  await peer.write(file, 0, bytes(text));
  await peer.close(file);
};

/** Returns the number of uploads, and the reserved bytes. */
function held({ store }: SftpHere): [uploads: number, reserved: number] {
  const { reserved } = store.accounts.find("anna")!;
  return [store.reservations.uploads().length, reserved];
}

Deno.test("the time and size that are set on an open file are visible at once", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  await put(peer, "old", "0123456789");
  await set(peer, "old", { atime: 5, mtime: 5 });
  const timesOf = async (file: Uint8Array, path: string) => {
    const lstat = (await peer.ask(Type.LSTAT, (p) => p.text(path))).reader.attrs();
    return [(await fstat(peer, file)).mtime, lstat.mtime, (await peer.stat(path)).mtime];
  };
  for (const [path, flags] of [["new", WRITE | CREAT], ["old", READ | WRITE]] as const) {
    const file = await peer.open(path, flags);
    if (path === "old") assert.deepEqual(await timesOf(file, path), [5, 5, 5]);
    await peer.write(file, 0, bytes("abcd"));
    const [now] = await timesOf(file, path);
    assert.ok(Math.abs(now! - Date.now() / 1000) < 60, `${now}`);
    await fset(peer, file, { atime: 1, mtime: long });
    assert.deepEqual(await timesOf(file, path), [long, long, long], path);
    await set(peer, path, { atime: 1, mtime: long + 1 });
    assert.deepEqual(await timesOf(file, path), [long + 1, long + 1, long + 1], path);
    await fset(peer, file, { size: 2 });
    assert.deepEqual([(await fstat(peer, file)).size, (await peer.stat(path)).size], [2, 2]);
    const listed = (await peer.names(".")).get(path);
    if (path === "old") assert.deepEqual([listed!.size, listed!.mtime], [2, long + 1]);
    else assert.equal(listed, undefined);
    await peer.close(file);
    const { size, mtime } = await peer.stat(path);
    assert.deepEqual([size, mtime], [2, long + 1], path);
  }
  const reading = await peer.open("old", READ);
  await fset(peer, reading, { atime: 7, mtime: 7 });
  assert.deepEqual(await timesOf(reading, "old"), [7, 7, 7]);
  await set(peer, "old", { atime: 8, mtime: 8 });
  assert.deepEqual(await timesOf(reading, "old"), [8, 8, 8]);
  await refused(fset(peer, reading, { size: 1 }), Status.FAILURE, /no such handle/);
  await peer.close(reading);
});

Deno.test("a file that is opened to write and not written stays as it is", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  await put(peer, "f", "one");
  await set(peer, "f", { atime: 5, mtime: 5 });
  const file = await peer.open("f", READ | WRITE);
  await put(peer, "g", "two");
  await posixRename(peer, "g", "f"); // as another program would
  assert.equal(await Deno.readTextFile(`${here.home}/f`), "two");
  await peer.close(file);
  assert.equal(await Deno.readTextFile(`${here.home}/f`), "two");
  const again = await peer.open("f", WRITE);
  await peer.close(again);
  assert.equal(await Deno.readTextFile(`${here.home}/f`), "two");
  assert.deepEqual(held(here), [0, 0]);
  await peer.close(await peer.open("empty", WRITE | CREAT));
  assert.equal((await Deno.stat(`${here.home}/empty`)).size, 0);
});

Deno.test("bytes can be read by another handle before and after CLOSE", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  await put(peer, "f", "old");
  await refused(peer.open("g", READ), Status.NO_SUCH_FILE);
  for (const path of ["f", "g"]) {
    const file = await peer.open(path, WRITE | CREAT | TRUNC);
    await peer.write(file, 0, bytes("hello"));
    const reading = await peer.open(path, READ);
    assert.equal((await fstat(peer, reading)).size, 5);
    assert.deepEqual(await peer.read(reading, 0, 10), bytes("hello"));
    await peer.close(file);
    assert.deepEqual(await peer.read(reading, 1, 10), bytes("ello"));
    await peer.close(reading);
  }
  assert.equal(await Deno.readTextFile(`${here.home}/f`), "hello");
});

Deno.test("a file that is renamed while it is written becomes one under its new name", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  // As rsync and git do: a new file is renamed over an existing one.
  await put(peer, "final", "old");
  const file = await peer.open("tmp", WRITE | CREAT | EXCL);
  await peer.write(file, 0, bytes("new "));
  await refused(rename(peer, "tmp", "final"), Status.FAILURE, /exists/);
  await posixRename(peer, "tmp", "final");
  await refused(peer.stat("tmp"), Status.NO_SUCH_FILE);
  assert.equal((await peer.stat("final")).size, 4);
  assert.equal(await Deno.readTextFile(`${here.home}/final`), "old");
  await peer.write(file, 4, bytes("one"));
  await peer.close(file);
  assert.equal(await Deno.readTextFile(`${here.home}/final`), "new one");
  await assert.rejects(Deno.stat(`${here.home}/tmp`));
  // The rename of a file that is being replaced.
  const over = await peer.open("final", READ | WRITE);
  await peer.write(over, 0, bytes("NEW"));
  await rename(peer, "final", "moved");
  assert.equal(await Deno.readTextFile(`${here.home}/moved`), "new one");
  await refused(peer.stat("final"), Status.NO_SUCH_FILE);
  await peer.close(over);
  assert.equal(await Deno.readTextFile(`${here.home}/moved`), "NEW one");
  await assert.rejects(Deno.stat(`${here.home}/final`));
  // The rename of a folder above it.
  await mkdir(peer, "d");
  await mkdir(peer, "d/e");
  const deep = await peer.open("d/e/f", WRITE | CREAT);
  await peer.write(deep, 0, bytes("deep"));
  await rename(peer, "d", "g");
  assert.equal((await peer.stat("g/e/f")).size, 4);
  await peer.close(deep);
  assert.equal(await Deno.readTextFile(`${here.home}/g/e/f`), "deep");
  // A rename that is refused changes nothing.
  const stays = await peer.open("moved", WRITE | TRUNC);
  await peer.write(stays, 0, bytes("stays"));
  await refused(posixRename(peer, "moved", "no/where"), Status.NO_SUCH_FILE);
  await refused(posixRename(peer, "moved", "g"), Status.FAILURE);
  await peer.close(stays);
  assert.equal(await Deno.readTextFile(`${here.home}/moved`), "stays");
  assert.deepEqual(held(here), [0, 0]);
});

Deno.test("a file that is removed or replaced while it is written stays removed", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  await put(peer, "old", "0123456789");
  for (const path of ["new", "old"]) {
    const file = await peer.open(path, READ | WRITE | CREAT);
    await peer.write(file, 0, bytes("abc"));
    await unlink(peer, path);
    await refused(peer.stat(path), Status.NO_SUCH_FILE);
    await refused(unlink(peer, path), Status.NO_SUCH_FILE);
    await peer.write(file, 3, bytes("def"));
    assert.deepEqual([...await peer.read(file, 0, 6)], [...bytes("abcdef")]);
    await peer.close(file);
    await refused(peer.stat(path), Status.NO_SUCH_FILE);
    assert.deepEqual(held(here), [0, 0]);
  }
  const file = await peer.open("a", WRITE | CREAT);
  await peer.write(file, 0, bytes("replaced"));
  await put(peer, "b", "b");
  await posixRename(peer, "b", "a");
  await peer.write(file, 8, bytes("!"));
  await peer.close(file);
  assert.equal(await Deno.readTextFile(`${here.home}/a`), "b");
  await mkdir(peer, "d");
  const inside = await peer.open("d/f", WRITE | CREAT);
  await refused(rmdir(peer, "d"), Status.FAILURE, /not empty/);
  await unlink(peer, "d/f");
  await rmdir(peer, "d");
  await peer.close(inside);
  assert.deepEqual([...(await peer.names(".")).keys()], [".", "..", "a"]);
  assert.deepEqual(held(here), [0, 0]);
});

Deno.test("an upload whose file was removed is not kept when the client is gone", async () => {
  await using here = await SftpHere.start();
  {
    await using peer = await here.peer();
    const [gone, kept] = [await peer.open("g", WRITE | CREAT), await peer.open("k", WRITE | CREAT)];
    for (const file of [gone, kept]) await peer.write(file, 0, bytes("12345"));
    await unlink(peer, "g");
    await rename(peer, "k", "l");
  }
  await here.drained();
  const [{ name, want }, ...others] = here.store.reservations.uploads();
  assert.deepEqual([name, want, others], ["l", 5, []]);
  assert.equal(Array.from(Deno.readDirSync(`${here.store.settings.data}/staging`)).length, 1);
});

Deno.test("only posix-rename replaces an empty folder by another", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  for (const folder of ["a", "b", "c"]) await mkdir(peer, folder);
  await put(peer, "a/f", "in a");
  await put(peer, "c/g", "in c");
  await put(peer, "h", "file");
  await refused(rename(peer, "a", "b"), Status.FAILURE);
  await refused(posixRename(peer, "a", "c"), Status.FAILURE, /not empty/);
  await refused(posixRename(peer, "h", "b"), Status.FAILURE);
  await refused(posixRename(peer, "b", "h"), Status.FAILURE);
  await refused(posixRename(peer, "c", "c/x"), Status.FAILURE);
  const open = await peer.open("b/new", WRITE | CREAT);
  await refused(posixRename(peer, "a", "b"), Status.FAILURE, /not empty/);
  await unlink(peer, "b/new");
  await posixRename(peer, "a", "b");
  await peer.close(open);
  assert.equal(await Deno.readTextFile(`${here.home}/b/f`), "in a");
  await refused(peer.stat("a"), Status.NO_SUCH_FILE);
  const row = here.store.ledger.file({ dir: "homes/anna/b", name: "f" });
  assert.equal(row?.size, 4);
});

Deno.test("a rename of an open file needs no more room than the file", async () => {
  await using here = await SftpHere.start({}, {}, 100);
  await using peer = await here.peer();
  await put(peer, "f", "x".repeat(60));
  const file = await peer.open("f", WRITE | TRUNC);
  await peer.write(file, 0, bytes("y".repeat(60)));
  // Both exist until it is closed, and the upload will replace the file.
  await refused(rename(peer, "f", "g"), Status.FAILURE);
  await unlink(peer, "f");
  await refused(peer.stat("f"), Status.NO_SUCH_FILE);
  await peer.close(file);
  assert.deepEqual(held(here), [0, 0]);
  assert.equal(here.store.accounts.find("anna")!.used, 0);
});

Deno.test("a handle whose upload was taken over prevents no removal and no rename", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  await using other = await here.peer();
  const changes = [
    (path: string) => unlink(peer, path),
    (path: string) => rename(peer, path, "to"),
  ];
  for (const [i, change] of changes.entries()) {
    const path = `f${i}`;
    const former = await peer.open(path, WRITE | CREAT);
    await peer.write(former, 0, bytes("abc"));
    const newer = await other.open(path, WRITE | CREAT);
    await other.write(newer, 3, bytes("def"));
    await other.close(newer);
    await change(path);
    await refused(peer.close(former), Status.FAILURE, /taken over/);
  }
  assert.equal((await peer.stat("to")).size, 6);
  assert.deepEqual(held(here), [0, 0]);
});
