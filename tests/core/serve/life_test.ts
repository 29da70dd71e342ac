/** How a server reports that it is ready, and how it ends. */
import assert from "node:assert/strict";
import { bargeCommand } from "../../_program.ts";
import { barge, type Server, startServer } from "../../_server.ts";
import { pattern, Peer, sha256 } from "../door/_peer.ts";

const none = Deno.build.os === "windows";

/** Begins an upload and sends a part of it. */
async function half(server: Server, token: string): Promise<Peer> {
  const peer = await Peer.open(server.address, token);
  await peer.ask({ verb: "put", path: "/home/f", size: 500_000 });
  await peer.send({ offset: 0, body: 500_000 }, pattern(500_000).subarray(0, 200_000));
  return peer;
}

Deno.test("transfers that outlast --grace are cut with exit code 0, and can be resumed", async () => {
  const data = await Deno.makeTempDir({ prefix: "barge-life-" });
  try {
    const server = await startServer({ data, args: ["--workers", "2", "--grace", "1"] });
    await server.addUser("anna");
    const token = await server.issueToken("anna");
    using peer = await half(server, token);
    const began = performance.now();
    assert.equal(await server.kill("SIGTERM"), 0);
    assert.ok(performance.now() - began >= 900, "it was given its time");
    await peer.gone();

    await using again = await startServer({ data });
    assert.doesNotMatch(again.stderr(), /left unfinished/); // a partial upload that waits
    using other = await Peer.open(again.address, token);
    const { offset, prefix } = await other.ask({ verb: "put", path: "/home/f", size: 500_000 });
    const bytes = pattern(500_000);
    assert.ok(offset as number > 0 && offset as number <= 200_000);
    assert.equal(prefix, sha256(bytes.subarray(0, offset as number)));
    const rest = bytes.subarray(offset as number);
    await other.ask({ offset, body: rest.length }, rest, { sha256: sha256(bytes) });
    const verified = await barge(["quota", "verify", "--data", data]);
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});

Deno.test("a second signal ends the server at once", async () => {
  await using server = await startServer({ args: ["--workers", "2", "--grace", "600"] });
  await server.addUser("anna");
  using peer = await half(server, await server.issueToken("anna"));
  using idle = await Peer.open(server.address);
  server.process.kill("SIGTERM");
  await idle.gone(); // the server is stopping
  assert.equal(await server.kill("SIGTERM"), 130);
  await peer.gone();
});

Deno.test("--grace 0 cuts all transfers at once", async () => {
  await using server = await startServer({ args: ["--workers", "2", "--grace", "0"] });
  await server.addUser("anna");
  using peer = await half(server, await server.issueToken("anna"));
  assert.equal(await server.kill("SIGTERM"), 0);
  await peer.gone();
});

Deno.test({
  name: "NOTIFY_SOCKET gets ready, reloading, ready and stopping",
  ignore: Deno.build.os !== "linux",
  async fn(t) {
    const dir = await Deno.makeTempDir({ prefix: "barge-life-" });
    for (const name of [`${dir}/notify`, `@barge-test-${crypto.randomUUID()}`]) {
      await t.step(name[0] === "@" ? "an abstract name" : "a path", async () => {
        const path = name.replace(/^@/, "\0");
        const socket = Deno.listenDatagram({ transport: "unixpacket", path });
        using _closed = { [Symbol.dispose]: () => socket.close() };
        const next = async () => new TextDecoder().decode((await socket.receive())[0]);
        await using server = await startServer({ env: { NOTIFY_SOCKET: name } });
        assert.equal(await next(), `READY=1\nSTATUS=serving at ${server.address}`);
        server.process.kill("SIGHUP");
        assert.equal(await next(), "RELOADING=1");
        assert.equal(await next(), "READY=1");
        assert.equal(await server.kill("SIGTERM"), 0);
        assert.equal(await next(), "STOPPING=1");
      });
    }
    await t.step("a missing socket", async () => {
      await using server = await startServer({ env: { NOTIFY_SOCKET: `${dir}/none` } });
      assert.equal(await server.kill("SIGTERM"), 0);
      assert.match(server.stderr(), /can't notify the service manager/);
    });
    await Deno.remove(dir, { recursive: true });
  },
});

/** Starts `serve` in a shell that opens descriptors for it. */
function inShell(redirect: string, env: Record<string, string>): Deno.ChildProcess {
  return new Deno.Command("sh", {
    args: [
      ...["-c", `exec "$0" "$@" ${redirect}`],
      ...bargeCommand([
        ...["serve", "--data", env.DIR + "/data", "--native", "127.0.0.1:0", "--http", "off"],
        ...["--workers", "1", "--ready-fd", "9"],
      ]),
    ],
    env,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

Deno.test({ name: "--ready-fd gets the ready line, and is closed", ignore: none }, async (t) => {
  const dir = await Deno.makeTempDir({ prefix: "barge-life-" });
  const isReady = (text: string) => {
    assert.match(text, /^\{.*\}\n$/);
    const { event, native } = JSON.parse(text);
    assert.equal(event, "ready");
    assert.match(native, /^127\.0\.0\.1:[1-9]\d*$/);
  };
  await t.step("a pipe ends for its reader while the server runs", async () => {
    const fifo = `${dir}/fifo`;
    assert.ok((await new Deno.Command("mkfifo", { args: [fifo] }).output()).success);
    const server = inShell('9>"$DIR/fifo"', { DIR: dir });
    try {
      isReady(await Deno.readTextFile(fifo));
    } finally {
      server.kill("SIGTERM");
    }
    assert.equal((await server.status).code, 0);
  });
  await t.step("a file keeps its content", async () => {
    Deno.writeTextFileSync(`${dir}/file`, "");
    using watcher = Deno.watchFs(`${dir}/file`);
    const server = inShell('9>>"$DIR/file"', { DIR: dir });
    for await (const _ of watcher) {
      if (Deno.readTextFileSync(`${dir}/file`).endsWith("\n")) break;
    }
    isReady(Deno.readTextFileSync(`${dir}/file`));
    server.kill("SIGTERM");
    assert.equal((await server.status).code, 0);
  });
  await t.step("a missing descriptor, and one of the runtime's own", async () => {
    for (const fd of ["3", "4", "5", "7", "8", "200"]) {
      const { code, stderr } = await barge([
        ...[
          "serve",
          "--data",
          `${dir}/other`,
          "--native",
          "127.0.0.1:0",
          "--http",
          "off",
          "--ready-fd",
          fd,
        ],
      ], { signal: AbortSignal.timeout(30_000) });
      assert.equal(code, 2, stderr);
      assert.match(stderr, /--ready-fd: \d+ is not open/);
    }
  });
  await Deno.remove(dir, { recursive: true });
});
