/** TLS over an open connection: proofs of its end, and peers without TLS. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { acceptTls, serverIdentity } from "../../../core/net/accept_tls.ts";
import { Stream } from "../../../core/net/stream.ts";
import type { TlsPipe } from "../../../core/net/tls_pipe.ts";
import { pairFor } from "./_tls.ts";

interface Ends {
  readonly stream: Stream;
  readonly tls: TlsPipe;
  readonly client: TLSSocket;
  readonly below: Socket;
}

/** Returns both ends of a TLS connection of a version. */
async function withBoth(
  work: (ends: Ends) => Promise<void>,
  version: "TLSv1.2" | "TLSv1.3" = "TLSv1.3",
): Promise<void> {
  const shown = serverIdentity(await pairFor(), ["ftp"]);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const below = connect({ host: "127.0.0.1", port: listener.addr.port, allowHalfOpen: true });
  using stream = new Stream(await listener.accept(), "client", 10_000);
  const client = connectTls({
    ...{ socket: below, rejectUnauthorized: false, minVersion: version, maxVersion: version },
    ALPNProtocols: ["ftp"],
  });
  client.on("error", () => {/* each test looks at the server's end */});
  try {
    const tls = await stream.upgrade((conn) => acceptTls(conn, shown), 10_000);
    await work({ stream, tls, client, below });
  } finally {
    client.destroy();
    below.destroy();
  }
}

/** @returns the number of bytes until the end */
async function readAll(stream: Stream, slowly = false): Promise<number> {
  const buffer = new Uint8Array(slowly ? 5000 : 200_000);
  let all = 0;
  for (let n; (n = await stream.read(buffer)) !== null;) {
    all += n;
    if (slowly) await new Promise((resolve) => setTimeout(resolve));
  }
  return all;
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  for (const size of [1, 2, 19, 200_000, 1_000_000]) {
    Deno.test(`${version}, ${size} bytes: close_notify proves the end, a bare end does not`, async () => {
      for (const slowly of [false, true]) {
        await withBoth(async ({ stream, tls, client }) => {
          client.write(new Uint8Array(size));
          client.end();
          assert.equal(await readAll(stream, slowly), size);
          assert.equal(tls.proved, true);
          await stream.end();
        }, version);
        await withBoth(async ({ stream, tls, client, below }) => {
          await new Promise((resolve) => client.write(new Uint8Array(size), resolve));
          below.end();
          assert.equal(await readAll(stream, slowly), size);
          assert.equal(tls.proved, false);
        }, version);
      }
    });
  }
}

Deno.test("a client that leaves right after its close_notify has proved the end", async () => {
  await withBoth(async ({ stream, tls, client, below }) => {
    client.end(new Uint8Array(100_000));
    await new Promise((resolve) => client.once("finish", resolve));
    below.resetAndDestroy();
    // A reset may discard bytes of the kernel's queue; the end is not proved then.
    const got = await readAll(stream).catch(() => -1);
    assert.equal(tls.proved, got === 100_000);
  });
});

for (
  const [version, bytes] of [
    ["TLSv1.3", Uint8Array.of(21, 3, 3, 0, 2, 1, 0)], // close_notify, in the clear
    ["TLSv1.2", Uint8Array.of(21, 3, 3, 0, 2, 1, 0)],
    ["TLSv1.3", Uint8Array.of(23, 3, 3, 0, 19, ...new Uint8Array(19))], // sealed with no key
    ["TLSv1.2", Uint8Array.of(21, 3, 3, 0, 26, ...new Uint8Array(26))],
  ] as const
) {
  Deno.test(`${version}: a forged end of ${bytes.length} bytes proves nothing`, async () => {
    await withBoth(async ({ stream, tls, client, below }) => {
      await new Promise((resolve) => client.write("hello", resolve));
      assert.equal(await stream.read(new Uint8Array(10)), 5);
      below.write(bytes);
      below.end();
      await readAll(stream).catch(() => {/* it may be called broken, or just ended */});
      assert.equal(tls.proved, false);
    }, version);
  });
}

Deno.test("a client without TLS is refused, and its connection closed", async () => {
  const shown = serverIdentity(await pairFor(), ["ftp"]);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using stream = new Stream(await listener.accept(), "client", 10_000);
  await client.write(new TextEncoder().encode("USER anna\r\n"));
  await assert.rejects(
    () => stream.upgrade((conn) => acceptTls(conn, shown), 10_000),
    /the TLS handshake failed|TLS failed/,
  );
  assert.ok(stream.closed);
});

Deno.test("plain HTTP gets an answer in HTTP where the connection begins with TLS, and an alert elsewhere", async () => {
  const shown = serverIdentity(await pairFor(), ["ftp"]);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  // Longer than the buffers of the sockets, so that an early end of the connection fails its sending.
  const long = `POST / HTTP/1.1\r\n\r\n${"x".repeat(8_000_000)}`;
  const cases = [
    [true, "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400"],
    [true, long, "HTTP/1.1 400"],
    [true, "CONNECT box:443 HTTP/1.1\r\n\r\n", "HTTP/1.1 400"],
    [true, "USER harry\r\n", "\x15"],
    [false, "GET / HTTP/1.1\r\n\r\n", "\x15"],
  ] as const;
  for (const [isNew, request, due] of cases) {
    const client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
    using stream = new Stream(await listener.accept(), "client", 10_000);
    const refused = assert.rejects(
      () => stream.upgrade((conn) => acceptTls(conn, shown, isNew), 10_000),
      due === "\x15" ? /TLS failed/ : /the client sent plain HTTP/,
    );
    for (let bytes = new TextEncoder().encode(request); bytes.length > 0;) {
      bytes = bytes.subarray(await client.write(bytes));
    }
    const answer = await new Response(client.readable).text(); // closes the client, too
    assert.equal(answer.slice(0, due.length), due);
    await refused;
  }
});

Deno.test("a client that sends nothing is cut at its timeout", async () => {
  const shown = serverIdentity(await pairFor(), ["ftp"]);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using _client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using stream = new Stream(await listener.accept(), "client", 10_000);
  await assert.rejects(
    () => stream.upgrade((conn) => acceptTls(conn, shown), 50),
    /sent nothing/,
  );
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  for (const how of ["reset", "end"] as const) {
    Deno.test(`${version}: a write to a client that is gone fails at once (${how})`, async () => {
      await withBoth(async ({ stream, client, below }) => {
        client.pause();
        const writing = (async () => {
          while (true) await stream.write(new Uint8Array(65_536), 600_000);
        })();
        if (how === "reset") below.resetAndDestroy();
        else below.destroy();
        await assert.rejects(writing, (error) => {
          assert.match(String(error), /reset|broken pipe|broke/i);
          return true;
        });
        await assert.rejects(() => stream.write(new Uint8Array(1), 600_000));
        await stream.end(600_000);
      }, version);
    });
  }
}

Deno.test("close_notify to a client that reads nothing has a deadline", async () => {
  await withBoth(async ({ stream, client }) => {
    client.pause();
    // More than the runtime reads into memory for the client until the deadline.
    const writing = assert.rejects(() => stream.write(new Uint8Array(500_000_000), 600_000));
    await stream.end(300);
    assert.match(String(stream.closed), /read nothing/);
    await writing;
  });
});
