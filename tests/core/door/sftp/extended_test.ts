import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Open, Status } from "../../../../core/door/sftp/packet.ts";
import { SftpHere } from "./_here.ts";
import { refused, SftpPeer } from "./_peer.ts";

const { READ, WRITE, CREAT, TRUNC } = Open;
const digest = (algorithm: string, bytes: Uint8Array) =>
  new Uint8Array(createHash(algorithm).update(bytes).digest());

Deno.test("the server announces version 3 to a client of any version", async () => {
  await using here = await SftpHere.start();
  await using peer = await SftpPeer.raw(await here.ssh());
  const extensions = await peer.init(6);
  for (
    const [name, version] of [
      ["posix-rename@openssh.com", "1"],
      ["statvfs@openssh.com", "2"],
      ["fsync@openssh.com", "1"],
      ["limits@openssh.com", "1"],
      ["copy-data", "1"],
      ["check-file", "1"],
    ]
  ) assert.equal(extensions.get(name), version, name);
  assert(!extensions.has("hardlink@openssh.com"));
  await refused(peer.extended("no@such.example", (p) => p), Status.OP_UNSUPPORTED);
  await refused(peer.extended("toString", (p) => p), Status.OP_UNSUPPORTED);
});

Deno.test("the quota is the size of the file system, to the byte", async () => {
  await using here = await SftpHere.start({}, {}, 1_000_001);
  await using peer = await here.peer();
  const file = await peer.open("f", WRITE | CREAT);
  await peer.write(file, 0, new Uint8Array(1234));
  await peer.close(file);
  const { reader } = await peer.extended("statvfs@openssh.com", (p) => p.text("/home"));
  const [, unit, size, free, available] = Array.from({ length: 5 }, () => reader.long());
  assert.deepEqual([unit, size, free, available], [1, 1_000_001, 998_767, 998_767]);
});

Deno.test("statvfs shows an account without a quota 1 PiB and 2^32 entries", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  const { reader } = await peer.extended("statvfs@openssh.com", (p) => p.text("/home"));
  const [, unit, size, free, available, inodes, freeInodes] = Array.from(
    { length: 7 },
    () => reader.long(),
  );
  assert.deepEqual([unit, size, free, available], [1, 2 ** 50, 2 ** 50, 2 ** 50]);
  assert.deepEqual([inodes, freeInodes], [2 ** 32, 2 ** 32]);
});

Deno.test("a file over the quota is refused, and its room is free again", async () => {
  await using here = await SftpHere.start({}, {}, 10_000);
  await using peer = await here.peer();
  const file = await peer.open("f", WRITE | CREAT);
  await peer.write(file, 0, new Uint8Array(8_000));
  const larger = /larger than the 10000 bytes that are left/;
  await refused(peer.write(file, 8_000, new Uint8Array(8_000)), Status.FAILURE, larger);
  await refused(peer.write(file, 8_000, new Uint8Array(1)), Status.FAILURE);
  await refused(peer.close(file), Status.FAILURE);
  await refused(peer.stat("f"), Status.NO_SUCH_FILE);
  const { used, reserved } = here.store.accounts.get("anna");
  assert.deepEqual([used, reserved], [0, 0]);
});

Deno.test("limits@openssh.com announces the sizes that the server enforces", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  const { reader } = await peer.extended("limits@openssh.com", (p) => p);
  const [packet, read, write, handles] = Array.from({ length: 4 }, () => reader.long());
  assert.deepEqual([packet, read, write, handles], [262_144, 261_120, 261_120, 256]);
  const whole = new Uint8Array(randomBytes(write));
  const file = await peer.open("f", READ | WRITE | CREAT);
  await peer.write(file, 0, whole);
  assert.deepEqual(await peer.read(file, 0, read), whole);
});

Deno.test("copy-data copies between two handles", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  const whole = new Uint8Array(randomBytes(200_000));
  await Deno.mkdir(here.home, { recursive: true });
  await Deno.writeFile(`${here.home}/a`, whole);
  const from = await peer.open("a", READ);
  const to = await peer.open("b", READ | WRITE | CREAT | TRUNC);
  const copy = (start: number, length: number, at: number, target = to) =>
    peer.extended(
      "copy-data",
      (p) => p.bytes(from).long(start).long(length).bytes(target).long(at),
    );
  await copy(100_000, 0, 0);
  await copy(10, 20, 100_000);
  await refused(copy(0, 0, 0, from), Status.FAILURE);
  const inside = (start: number, length: number, at: number) =>
    peer.extended("copy-data", (p) => p.bytes(to).long(start).long(length).bytes(to).long(at));
  await refused(inside(0, 10, 5), Status.FAILURE, /overlap/);
  await inside(0, 10, 100_020);
  await peer.close(to);
  const half = whole.slice(100_000);
  assert.deepEqual(
    await Deno.readFile(`${here.home}/b`),
    new Uint8Array([...half, ...whole.slice(10, 30), ...half.slice(0, 10)]),
  );
});

Deno.test("check-file returns digests of a file, of a part, and of blocks", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  const whole = new Uint8Array(randomBytes(100_000));
  const file = await peer.open("f", WRITE | CREAT);
  await peer.write(file, 0, whole);
  await peer.close(file);
  const byName = async (algorithms: string, start = 0, length = 0, block = 0) => {
    const { reader } = await peer.extended(
      "check-file-name",
      (p) => p.text("f").text(algorithms).long(start).long(length).int(block),
    );
    assert.equal(reader.text(), "check-file");
    return [reader.text(), reader.rest().slice()];
  };
  assert.deepEqual(await byName("sha256"), ["sha256", digest("sha256", whole)]);
  assert.deepEqual(await byName("crc32,md5,sha256"), ["md5", digest("md5", whole)]);
  const part = whole.subarray(5_000, 15_000);
  assert.deepEqual(await byName("sha1", 5_000, 10_000), ["sha1", digest("sha1", part)]);
  const blocks = [0, 40_000, 80_000].map((at) => digest("sha512", whole.slice(at, at + 40_000)));
  const all = new Uint8Array(blocks.flatMap((block) => [...block]));
  assert.deepEqual(await byName("sha512", 0, 0, 40_000), ["sha512", all]);
  await refused(byName("crc32"), Status.OP_UNSUPPORTED);
  await refused(byName("md5", 0, 0, 1), Status.FAILURE);
  const handle = await peer.open("f", READ);
  const { reader } = await peer.extended(
    "check-file",
    (p) => p.bytes(handle).text("sha256").long(0).long(0).int(0),
  );
  assert.deepEqual([reader.text(), reader.text()], ["check-file", "sha256"]);
  assert.deepEqual(reader.rest().slice(), digest("sha256", whole));
});

Deno.test("a user keeps its number, and has a name", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  await peer.close(await peer.open("f", WRITE | CREAT));
  const { uid } = await peer.stat("f");
  assert.equal((await peer.stat("/home")).uid, uid);
  const numbers = new Uint8Array(12);
  [uid!, 65_534, 7].forEach((n, i) => new DataView(numbers.buffer).setUint32(i * 4, n));
  const { reader } = await peer.extended(
    "users-groups-by-id@openssh.com",
    (p) => p.bytes(numbers).bytes(new Uint8Array()),
  );
  const length = (text: string) => [0, 0, 0, text.length, ...new TextEncoder().encode(text)];
  assert.deepEqual([...reader.bytes()], [...length("anna"), ...length("nobody"), ...length("")]);
});

Deno.test("a large folder is listed in packets that every client accepts", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  for (let i = 0; i < 3_000; i++) Deno.mkdirSync(`${here.home}/d/${i}`, { recursive: i === 0 });
  assert.equal((await peer.names("d")).size, 3_002);
});
