import assert from "node:assert/strict";
import fc from "fast-check";
import { Open, PacketWriter, Status, Type } from "../../../../core/door/sftp/packet.ts";
import { SftpHere } from "./_here.ts";
import { closed, refused, SftpPeer, ssh } from "./_peer.ts";

const { READ, WRITE, CREAT } = Open;

Deno.test("a handle that does not exist, or is of another channel, is refused", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  await using other = await here.peer();
  const file = await other.open("f", WRITE | CREAT);
  const names = [file, new Uint8Array(), new Uint8Array(4), new Uint8Array(256).fill(0xff)];
  for (const name of names) {
    await refused(peer.close(name), Status.FAILURE, /no such handle/);
    await refused(peer.read(name, 0, 1), Status.FAILURE);
    await refused(peer.write(name, 0, new Uint8Array(1)), Status.FAILURE);
    await refused(peer.ask(Type.READDIR, (p) => p.bytes(name)), Status.FAILURE);
    await refused(peer.ask(Type.FSTAT, (p) => p.bytes(name)), Status.FAILURE);
  }
  await peer.stat("/home");
});

Deno.test("an offset beyond 2^53 is refused, and the session goes on", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  const file = await peer.open("f", READ | WRITE | CREAT);
  const huge = Uint8Array.of(0, 0x20, 0, 0, 0, 0, 0, 0);
  await refused(
    peer.ask(Type.WRITE, (p) => p.bytes(file).raw(huge).bytes(new Uint8Array(1))),
    Status.FAILURE,
    /that long/,
  );
  await refused(peer.ask(Type.READ, (p) => p.bytes(file).raw(huge).int(1)), Status.FAILURE);
  await refused(
    peer.write(file, Number.MAX_SAFE_INTEGER, new Uint8Array(8)),
    Status.FAILURE,
    /large/,
  );
  assert.equal((await peer.stat("/home")).mode, 0o040755);
});

Deno.test("a connection has at most 256 open handles over all channels", async () => {
  await using here = await SftpHere.start();
  const client = await here.ssh();
  await using peer = await SftpPeer.raw(client);
  await peer.init();
  await peer.close(await peer.open("f", WRITE | CREAT));
  let open = 0;
  const handles: Uint8Array[] = [];
  for (let i = 0; i < 2_000; i++) {
    const packet = new PacketWriter(Type.OPEN, i).text("f").int(READ).attrs({}).done();
    peer.send(packet);
  }
  for (let i = 0; i < 2_000; i++) {
    const { type, reader } = await peer.reply();
    if (type === Type.HANDLE) {
      open++;
      handles.push(reader.bytes().slice());
    } else {
      assert.equal(reader.int(), Status.FAILURE);
      assert.match(reader.text(), /256 open handles/);
    }
  }
  assert.equal(open, 256);
  const other = await SftpPeer.raw(client);
  await other.init();
  await refused(other.open("f", READ), Status.FAILURE, /256 open handles/);
  await peer.close(handles[0]);
  await other.close(await other.open("f", READ));
});

Deno.test("a connection has a bounded number of channels, used or not", async () => {
  await using here = await SftpHere.start();
  const client = await here.ssh();
  await using peer = await SftpPeer.raw(client);
  await peer.init();
  const others: SftpPeer[] = [];
  for (let i = 1; i < 10; i++) others.push(await SftpPeer.raw(client));
  await assert.rejects(SftpPeer.raw(client), /open failure/);
  others[0].channel.end();
  await others[0].end();
  await SftpPeer.raw(client);
});

Deno.test("a malformed request gets an error, and the session goes on", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  const types = [...Object.values(Type), 0, 99, 255].filter((type) => type !== Type.INIT);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...types),
      fc.uint8Array({ maxLength: 60 }),
      async (type, b) => {
        peer.send(new PacketWriter(type, 77).raw(b).done());
        const { id } = await peer.reply();
        assert.equal(id, 77);
      },
    ),
    { numRuns: 300 },
  );
  await refused(peer.ask(Type.STAT), Status.BAD_MESSAGE, /truncated/);
  await refused(peer.ask(Type.OPEN, (p) => p.int(0xffffffff)), Status.BAD_MESSAGE);
  await peer.stat("/home");
});

Deno.test("a malformed packet ends its channel, and no other", async () => {
  await using here = await SftpHere.start();
  const client = await here.ssh();
  await using peer = await SftpPeer.raw(client);
  await peer.init();
  for (const length of [0, 4, 262_145, 0xffffffff]) {
    const bad = await SftpPeer.raw(client);
    await bad.init();
    const bytes = new Uint8Array(16);
    new DataView(bytes.buffer).setUint32(0, length);
    bad.send(bytes);
    await bad.end();
  }
  const early = await SftpPeer.raw(client);
  early.send(new PacketWriter(Type.STAT, 1).text("/home").done());
  await early.end();
  await peer.stat("/home");
});

Deno.test("the upload of a client that is gone can be resumed", async () => {
  await using here = await SftpHere.start();
  {
    await using peer = await here.peer();
    const file = await peer.open("f", WRITE | CREAT);
    await peer.write(file, 0, new TextEncoder().encode("hello "));
    await peer.write(file, 20, new TextEncoder().encode("behind a gap"));
  }
  await here.drained();
  await using peer = await here.peer();
  assert(!(await peer.names(".")).has("f"));
  assert.equal((await peer.stat("f")).size, 6);
  const file = await peer.open("f", WRITE | CREAT);
  await peer.write(file, 6, new TextEncoder().encode("again"));
  await peer.close(file);
  assert.equal(await Deno.readTextFile(`${here.home}/f`), "hello again");
});

Deno.test("a client that never reads gets a bounded number of answers, and is then cut", async () => {
  await using here = await SftpHere.start({ request: 1_000 });
  await Deno.mkdir(here.home, { recursive: true });
  await Deno.writeFile(`${here.home}/f`, new Uint8Array(1024 * 1024));
  // The window of this client allows any number of bytes under way.
  const client = await here.ssh();
  await using peer = await SftpPeer.raw(client);
  await peer.init();
  const file = await peer.open("f", READ);
  client._sock.pause();
  for (let i = 0; i < 2_000; i++) {
    peer.send(new PacketWriter(Type.READ, i).bytes(file).long(0).int(255 * 1024).done());
  }
  await here.drained();
});

Deno.test("a client that does not log in, or sends nothing, is cut", async () => {
  await using here = await SftpHere.start({ beforeLogin: 1_000, login: 3_000 });
  using silent = await Deno.connect({
    hostname: "127.0.0.1",
    port: here.door.address.port,
  });
  const buffer = new Uint8Array(100);
  while (await silent.read(buffer) !== null);
});

Deno.test("random bytes in place of SSH end in a clean close", async () => {
  await using here = await SftpHere.start();
  const noise = ["GET / HTTP/1.1\r\n\r\n", "SSH-1.5-old\r\n", "SSH-2.0-x\r\n\0\0\0\0\0\0", "\0"];
  for (const text of [...noise, "x".repeat(10_000), `SSH-2.0-x\r\n${"\xff".repeat(40_000)}`]) {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: here.door.address.port });
    const buffer = new Uint8Array(4096);
    try {
      await conn.write(new TextEncoder().encode(text));
      await conn.closeWrite();
      while (await conn.read(buffer) !== null);
    } catch (error) {
      assert(
        error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe,
      );
    }
  }
  await using peer = await here.peer();
  await peer.stat("/home");
});

Deno.test("there is no shell, no terminal, no forwarding, and no other command", async () => {
  await using here = await SftpHere.start();
  const client = await here.ssh();
  await using _peer = await SftpPeer.raw(client);
  const asked = (ask: (done: (error?: Error) => void) => void) =>
    new Promise<Error | undefined>((resolve) => ask(resolve));
  assert(await asked((done) => client.forwardOut("127.0.0.1", 1, "127.0.0.1", 22, done)));
  assert(await asked((done) => client.forwardIn("127.0.0.1", 0, done)));
  assert(await asked((done) => client.subsys("shell", done)));
  // deno-lint-ignore no-explicit-any
  type Opened = (error: Error | undefined, channel: any) => void;
  const run = (open: (opened: Opened) => void) =>
    new Promise<[number, string]>((resolve, reject) => {
      open((error, channel) => {
        if (error) return reject(error);
        let said = "";
        channel.stderr.on("data", (bytes: Uint8Array) => said += new TextDecoder().decode(bytes));
        channel.on("close", (code: number) => resolve([code, said])).resume();
      });
    });
  for (
    const [code, said] of [
      await run((opened) => client.exec("rm -rf /home", opened)),
      await run((opened) => client.shell(false, opened)),
    ]
  ) {
    assert.equal(code, 127);
    assert.equal(said, "barge: there is no shell here: only sftp, scp, sha256sum and md5sum\n");
  }
});

Deno.test("old algorithms are refused", async () => {
  await using here = await SftpHere.start();
  for (
    const algorithms of [
      { kex: ["diffie-hellman-group14-sha1"] },
      { kex: ["diffie-hellman-group1-sha1"] },
      { kex: ["diffie-hellman-group14-sha256"] },
      { cipher: ["aes128-cbc"] },
      { cipher: ["aes128-ctr"], hmac: ["hmac-sha1"] },
      { serverHostKey: ["ssh-rsa"] },
      { compress: ["zlib"] },
    ]
  ) await assert.rejects(ssh(here.address, here.login, { algorithms }), JSON.stringify(algorithms));
  for (
    const algorithms of [
      { cipher: ["chacha20-poly1305@openssh.com"], kex: ["curve25519-sha256"] },
      { cipher: ["aes128-ctr"], hmac: ["hmac-sha2-512-etm@openssh.com"] },
      { cipher: ["aes256-gcm@openssh.com"], serverHostKey: ["rsa-sha2-512"] },
      { kex: ["ecdh-sha2-nistp256"], serverHostKey: ["rsa-sha2-256"] },
    ]
  ) {
    const client = await ssh(here.address, here.login, { algorithms });
    const gone = closed(client);
    client.end();
    await gone;
  }
});

Deno.test("a server that stops waits for transfers, and cuts those that take too long", async () => {
  await using here = await SftpHere.start();
  await using idle = await here.peer();
  await using busy = await here.peer();
  const file = await busy.open("f", WRITE | CREAT);
  const stopped = here.stop(60_000);
  await idle.end();
  await busy.write(file, 0, new Uint8Array(10));
  await refused(busy.open("g", WRITE | CREAT), Status.FAILURE, /stopping/);
  await busy.close(file);
  await busy.end();
  await stopped;
  assert.equal((await Deno.stat(`${here.home}/f`)).size, 10);
});
