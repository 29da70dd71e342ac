import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Open, PacketWriter, Status, Type } from "../../../../core/door/sftp/packet.ts";
import { SftpHere } from "./_here.ts";
import { refused } from "./_peer.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const { READ, WRITE, APPEND, CREAT, TRUNC, EXCL } = Open;

Deno.test("an upload becomes a file at CLOSE, and not before", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  const file = await peer.open("a.txt", WRITE | CREAT | TRUNC);
  await peer.write(file, 0, bytes("hello"));
  await assert.rejects(Deno.stat(`${here.home}/a.txt`));
  assert.equal((await peer.stat("/home/a.txt")).size, 5);
  await peer.extended("fsync@openssh.com", (p) => p.bytes(file));
  await assert.rejects(Deno.stat(`${here.home}/a.txt`));
  assert(!(await peer.names(".")).has("a.txt"));
  await peer.close(file);
  assert.equal(await Deno.readTextFile(`${here.home}/a.txt`), "hello");
  await refused(peer.write(file, 5, bytes("!")), Status.FAILURE, /no such handle/);
  await refused(peer.close(file), Status.FAILURE, /no such handle/);
  const row = here.store.ledger.file({ dir: "homes/anna", name: "a.txt" })!;
  assert.equal(row.sha256, createHash("sha256").update("hello").digest("hex"));
});

Deno.test("writes may come in any order, overlap, and be many at a time", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  const whole = new Uint8Array(randomBytes(60_000));
  const file = await peer.open("/home/mixed", WRITE | CREAT | TRUNC);
  const offsets = Array.from({ length: 64 }, (_, i) => ((i * 29) % 64) * 937);
  for (const [i, at] of offsets.entries()) {
    const piece = whole.subarray(at, at + 1500); // over the next one's start
    peer.send(packet(Type.WRITE, 1000 + i, file, at, piece));
  }
  for (let i = 0; i < offsets.length; i++) {
    const { type, id, reader } = await peer.reply();
    assert.deepEqual([type, id, reader.int()], [Type.STATUS, 1000 + i, Status.OK]);
  }
  await peer.close(file);
  const end = Math.max(...offsets) + 1500;
  assert.deepEqual(await Deno.readFile(`${here.home}/mixed`), whole.slice(0, end));
});

function packet(type: number, id: number, file: Uint8Array, at: number, piece: Uint8Array) {
  return new PacketWriter(type, id).bytes(file).long(at).bytes(piece).done();
}

Deno.test("reads are answered in their order, the last one short, then the end", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  const whole = new Uint8Array(randomBytes(300_000));
  await Deno.mkdir(here.home, { recursive: true });
  await Deno.writeFile(`${here.home}/f`, whole);
  const file = await peer.open("/home/f", READ);
  for (let i = 0; i < 64; i++) {
    peer.send(
      new PacketWriter(Type.READ, i).bytes(file).long((63 - i) * 5000).int(5000).done(),
    );
  }
  for (let i = 0; i < 64; i++) {
    const { type, id, reader } = await peer.reply();
    const at = (63 - i) * 5000;
    assert.equal(id, i);
    if (at >= whole.length) assert.deepEqual([type, reader.int()], [Type.STATUS, Status.EOF]);
    else assert.deepEqual(reader.bytes().slice(), whole.slice(at, at + 5000));
  }
  assert.equal((await peer.read(file, 299_999, 4096)).length, 1);
  assert.equal((await peer.read(file, 0, 1_000_000)).length, 255 * 1024);
  await refused(peer.write(file, 0, bytes("x")), Status.FAILURE, /no such handle/);
  await peer.close(file);
});

Deno.test("the flags of OPEN have the meaning of POSIX", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  const put = async (flags: number, at: number, what: string) => {
    const file = await peer.open("/home/f", flags);
    await peer.write(file, at, bytes(what));
    await peer.close(file);
    return await Deno.readTextFile(`${here.home}/f`);
  };
  await refused(peer.open("/home/f", WRITE), Status.NO_SUCH_FILE);
  await refused(peer.open("/home/f", READ), Status.NO_SUCH_FILE);
  await refused(peer.open("/home/no/f", WRITE | CREAT), Status.NO_SUCH_FILE);
  await refused(peer.open("/home", READ), Status.FAILURE);
  assert.equal(await put(WRITE | CREAT | EXCL, 0, "0123456789"), "0123456789");
  await refused(peer.open("/home/f", WRITE | CREAT | EXCL), Status.FAILURE, /exists/);
  assert.equal(await put(WRITE, 3, "xx"), "012xx56789");
  assert.equal(await put(WRITE | CREAT, 12, "!"), "012xx56789\0\0!");
  assert.equal(await put(WRITE | APPEND, 0, "end"), "012xx56789\0\0!end");
  assert.equal(await put(WRITE | CREAT | TRUNC, 0, "new"), "new");
  const both = await peer.open("/home/f", READ | WRITE);
  assert.equal(text(await peer.read(both, 1, 10)), "ew");
  await peer.write(both, 3, bytes("er"));
  assert.equal(text(await peer.read(both, 0, 10)), "newer");
  assert.equal((await peer.read(both, 5, 10)).length, 0);
  await peer.close(both);
  const only = await peer.open("/home/f", WRITE);
  await refused(peer.read(only, 0, 1), Status.FAILURE, /no such handle/);
  await peer.close(only);
  assert.equal(await Deno.readTextFile(`${here.home}/f`), "newer");
});

Deno.test("sizes and times can be set; owners and modes are ignored", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  const set = (path: string, attrs: object) =>
    peer.ask(Type.SETSTAT, (p) => p.text(path).attrs(attrs));
  const file = await peer.open("/home/f", WRITE | CREAT);
  await peer.write(file, 0, bytes("0123456789"));
  await peer.ask(Type.FSETSTAT, (p) => p.bytes(file).attrs({ size: 8, atime: 1, mtime: 1000 }));
  await set("/home/f", { mode: 0o600 });
  await peer.close(file);
  const { size, mtime, mode } = await peer.stat("/home/f");
  assert.deepEqual([size, mtime, mode], [8, 1000, 0o100644]);
  await set("/home/f", { size: 4, uid: 0, gid: 0 });
  await set("/home/f", { size: 6 });
  assert.equal(await Deno.readTextFile(`${here.home}/f`), "0123\0\0");
  await set("/home/f", { atime: 5, mtime: 2_000_000_000 });
  await peer.extended("lsetstat@openssh.com", (p) => p.text("/home/f").attrs({ mode: 0o777 }));
  assert.equal((await peer.stat("/home/f")).mtime, 2_000_000_000);
  const row = here.store.ledger.file({ dir: "homes/anna", name: "f" })!;
  assert.equal(row.modified, 2_000_000_000_000);
  await peer.ask(Type.MKDIR, (p) => p.text("/home/d").attrs({ mode: 0o700 }));
  await set("/home/d", { atime: 7, mtime: 7 });
  assert.deepEqual([(await peer.stat("/home/d")).mtime], [7]);
  await refused(set("/home/d", { size: 1 }), Status.FAILURE);
  await refused(set("/home/none", { mode: 0o600 }), Status.NO_SUCH_FILE);
});

Deno.test("renames and removals follow version 3 and POSIX", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  for (const name of ["a", "b"]) await peer.close(await peer.open(name, WRITE | CREAT));
  const rename = (from: string, to: string) => peer.ask(Type.RENAME, (p) => p.text(from).text(to));
  await refused(rename("a", "b"), Status.FAILURE, /exists/);
  await peer.extended("posix-rename@openssh.com", (p) => p.text("a").text("b"));
  await rename("b", "c");
  await refused(rename("b", "d"), Status.NO_SUCH_FILE);
  await peer.ask(Type.MKDIR, (p) => p.text("dir").attrs({}));
  await refused(peer.ask(Type.MKDIR, (p) => p.text("dir").attrs({})), Status.FAILURE);
  await rename("c", "dir/c");
  await refused(peer.ask(Type.RMDIR, (p) => p.text("dir")), Status.FAILURE, /not empty/);
  await refused(peer.ask(Type.REMOVE, (p) => p.text("dir")), Status.FAILURE, /folder/);
  await refused(peer.ask(Type.RMDIR, (p) => p.text("dir/c")), Status.NO_SUCH_FILE);
  await peer.ask(Type.REMOVE, (p) => p.text("dir/c"));
  await peer.ask(Type.RMDIR, (p) => p.text("dir"));
  assert.deepEqual([...(await peer.names(".")).keys()], [".", ".."]);
  await refused(peer.ask(Type.RMDIR, (p) => p.text("/home")), Status.FAILURE);
});

Deno.test("paths are normalized, and stay below the root", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  const real = async (path: string) => {
    const { reader } = await peer.ask(Type.REALPATH, (p) => p.text(path));
    assert.equal(reader.int(), 1);
    return reader.text();
  };
  assert.equal(await real("."), "/home");
  assert.equal(await real("a/../b//c/."), "/home/b/c");
  assert.equal(await real("../../../etc/passwd"), "/etc/passwd");
  const expanded = await peer.extended("expand-path@openssh.com", (p) => p.text("~/x"));
  assert.equal(expanded.reader.int(), 1);
  assert.equal(expanded.reader.text(), "/home/x");
  await refused(
    peer.extended("expand-path@openssh.com", (p) => p.text("~eve/x")),
    Status.PERMISSION_DENIED,
    /no path to the home of eve/,
  );
  await refused(peer.open("../../../etc/passwd", READ), Status.NO_SUCH_FILE);
  await refused(peer.open("/home/\0", WRITE | CREAT), Status.FAILURE, /NUL/);
  await refused(peer.open(`/home/${"n".repeat(256)}`, WRITE | CREAT), Status.FAILURE, /longer/);
  await refused(
    peer.ask(Type.STAT, (p) => p.bytes(Uint8Array.of(0x2f, 0xff))),
    Status.FAILURE,
    /UTF-8/,
  );
  const link = (type: number) => peer.ask(type, (p) => p.text("/etc").text("/home/l"));
  await refused(link(Type.SYMLINK), Status.OP_UNSUPPORTED);
  await refused(link(Type.READLINK), Status.OP_UNSUPPORTED);
  await refused(
    peer.extended("hardlink@openssh.com", (p) => p.text("/home/a").text("/home/b")),
    Status.OP_UNSUPPORTED,
  );
  await Deno.mkdir(here.home, { recursive: true });
  await Deno.symlink("/etc", `${here.home}/etc`);
  await refused(peer.open("/home/etc/passwd", READ), Status.PERMISSION_DENIED);
  await refused(peer.names("/home/etc"), Status.PERMISSION_DENIED);
  assert(!(await peer.names("/home")).has("etc"));
});
