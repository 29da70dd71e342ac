import assert from "node:assert/strict";
import { BargeError, type Kind } from "../../../core/error.ts";
import { dial, type DialOptions } from "../../../core/net/dial.ts";
import { dialTls } from "../../../core/net/dial_tls.ts";
import type { Address } from "../../../core/net/address.ts";
import { parseFingerprint } from "../../../core/net/fingerprint.ts";
import { readPins, serverName } from "../../../core/net/known_hosts.ts";
import type { Trust } from "../../../core/net/trust.ts";
import { EchoDoor, lie, pairFor } from "./_tls.ts";

const timeouts = { timeout: 10_000, idleTimeoutMs: 10_000 };

class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "barge-tls-" });
  readonly knownHosts = `${this.path}/config/known_hosts`;
  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

function failing(kind: Kind, text: RegExp, hint?: RegExp) {
  return (e: unknown) => {
    assert.ok(e instanceof BargeError, String(e));
    assert.equal(e.kind, kind, e.toString());
    assert.match(e.toString(), text);
    if (hint) assert.match(e.hint ?? "", hint);
    return true;
  };
}

/** Connects, exchanges a byte, and closes. @returns the server that was pinned */
async function visit(address: Address, trust: Trust, options: Partial<DialOptions> = {}) {
  const told: string[] = [];
  const onPinned = (server: string, mark: string) => told.push(`${server} ${mark}`);
  const whole = { ...trust, onPinned };
  using stream = await dial(address, { ...timeouts, ...options, trust: whole });
  await stream.write(new Uint8Array([7]));
  const buffer = new Uint8Array(4);
  assert.equal(await stream.read(buffer), 1);
  assert.equal(buffer[0], 7);
  return told;
}

Deno.test("a certificate is pinned and reported on first use, and not reported later", async () => {
  using folder = new Folder();
  const { knownHosts } = folder;
  const pair = await pairFor();
  await using server = EchoDoor.start(pair);
  const { address } = server;
  assert.deepEqual(await visit(address, { knownHosts }), [`${serverName(address)} ${pair.mark}`]);
  assert.deepEqual(await visit(address, { knownHosts }), []);
  const pins = readPins(knownHosts, address);
  assert.deepEqual(pins.map(({ fingerprint }) => fingerprint), [pair.mark]);
  assert.equal(Deno.statSync(knownHosts).mode! & 0o777, 0o600);
});

Deno.test("another certificate is refused, with both fingerprints and a hint", async () => {
  using folder = new Folder();
  const { knownHosts } = folder;
  const [one, two] = [await pairFor(), await pairFor()];
  await using server = EchoDoor.start(one);
  const { address } = server;
  await visit(address, { knownHosts });
  server.door.reload(two);
  await assert.rejects(visit(address, { knownHosts }), (error) => {
    assert.ok(String(error).includes(one.mark) && String(error).includes(two.mark));
    return failing("identity", /posing/, new RegExp(`barge cert --forget ${serverName(address)}`))(
      error,
    );
  });
  assert.deepEqual(
    readPins(knownHosts, address).map(({ fingerprint }) => fingerprint),
    [one.mark],
    "the pin stays",
  );
});

Deno.test("with a demanded certificate, only that one passes, and it is not pinned", async () => {
  using folder = new Folder();
  const { knownHosts } = folder;
  const pair = await pairFor();
  await using server = EchoDoor.start(pair);
  assert.deepEqual(await visit(server.address, { knownHosts, pin: pair.mark }), []);
  assert.deepEqual(readPins(knownHosts, server.address), []);
  const pin = parseFingerprint(`SHA256:${"A".repeat(43)}`);
  await assert.rejects(
    visit(server.address, { knownHosts, pin }),
    failing("identity", /--pin demands/),
  );
});

Deno.test("without a file for pins, an unknown server is refused", async () => {
  await using server = EchoDoor.start(await pairFor());
  const trust = { knownHosts: undefined };
  await assert.rejects(
    visit(server.address, trust),
    failing("identity", /unknown/, /--pin SHA256:/),
  );
});

Deno.test("an expired certificate is not pinned", async () => {
  using folder = new Folder();
  const { knownHosts } = folder;
  const time = { from: new Date("2020-01-01"), until: new Date("2021-01-01") };
  const pair = await pairFor(undefined, time);
  await using server = EchoDoor.start(pair);
  await assert.rejects(
    visit(server.address, { knownHosts }),
    failing("identity", /ended on 2021-01-01/),
  );
  await visit(server.address, { knownHosts, pin: pair.mark });
});

Deno.test("the server must have the key of its certificate", async () => {
  const [shown, other] = [await pairFor(), await pairFor()];
  const answers: number[] = [];
  for (const signing of [shown, other]) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const dialing = dialTls(
      { host: "127.0.0.1", port: listener.addr.port },
      AbortSignal.timeout(10_000),
    );
    const failed = assert.rejects(dialing);
    using conn = await listener.accept();
    answers.push(await lie(conn, shown, signing));
    conn.close();
    await failed.finally(() => {});
  }
  // With the right key the handshake goes on, with another the client hangs up.
  assert.deepEqual(answers, [22, 0]);
});

Deno.test("a plain client learns that the server speaks TLS", async () => {
  await using server = EchoDoor.start(await pairFor());
  using stream = await dial(server.address, timeouts);
  await stream.write(new TextEncoder().encode('\0\0\0\x1c{"verb":"hello","version":1}'));
  await assert.rejects(
    stream.read(new Uint8Array(64)),
    failing("identity", /the server speaks TLS/, /--tls/),
  );
});

Deno.test("a TLS client learns that the server does not speak TLS", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answered = (async () => {
    using conn = await listener.accept();
    await conn.read(new Uint8Array(1024));
    const why = '{"ok":false,"error":{"kind":"protocol","message":"a frame of 369295616 bytes"}}';
    await conn.write(new TextEncoder().encode(`\0\0\0${String.fromCharCode(why.length)}${why}`));
  })();
  const { port } = listener.addr;
  await assert.rejects(
    visit({ host: "127.0.0.1", port }, { knownHosts: undefined }),
    failing("identity", /does not speak TLS/, /--plaintext/),
  );
  await answered;
});

Deno.test("a handshake that does not end is given up at the timeout, or by the signal", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = { host: "127.0.0.1", port: listener.addr.port };
  const trust = { knownHosts: undefined };
  const first = visit(address, trust, { timeout: 50 });
  using _one = await listener.accept();
  await assert.rejects(first, failing("unavailable", /no answer within 0\.05 s/));
  const stop = new AbortController();
  const second = visit(address, trust, { signal: stop.signal });
  using _two = await listener.accept();
  stop.abort();
  await assert.rejects(second, failing("interrupted", /interrupted/));
});

Deno.test("with TLS, too, dial fails with unavailable where no server listens", async () => {
  await assert.rejects(
    visit({ host: "127.0.0.1", port: 1 }, { knownHosts: undefined }),
    failing("unavailable", /nothing listens there/, /barge serve/),
  );
});

Deno.test("a client that connects and sends nothing is cut, and delays no other", async () => {
  const pair = await pairFor();
  await using server = EchoDoor.start(pair, { handshakeTimeoutMs: 300 });
  const failure = server.failure();
  using silent = await Deno.connect({ hostname: "127.0.0.1", port: server.address.port });
  await visit(server.address, { knownHosts: undefined, pin: pair.mark });
  assert.deepEqual(server.failures, [], "the silent one waits still");
  assert.equal(await silent.read(new Uint8Array(1)).catch(() => null), null);
  assert.match(await failure, /handshake timeout/i);
});

Deno.test("of too many silent clients the oldest is cut, so that there is room for others", async () => {
  const pair = await pairFor();
  await using server = EchoDoor.start(pair, { maxPending: 2, handshakeTimeoutMs: 60_000 });
  const { port } = server.address;
  const failure = server.failure();
  using first = await Deno.connect({ hostname: "127.0.0.1", port });
  using _second = await Deno.connect({ hostname: "127.0.0.1", port });
  await visit(server.address, { knownHosts: undefined, pin: pair.mark });
  assert.match(await failure, /too many/);
  assert.equal(await first.read(new Uint8Array(1)).catch(() => null), null);
});

Deno.test("a renewed certificate is for new connections, and cuts none", async () => {
  const [one, two] = [await pairFor(), await pairFor()];
  await using server = EchoDoor.start(one);
  const trust = (pin: typeof one.mark) => ({ ...timeouts, trust: { knownHosts: undefined, pin } });
  using before = await dial(server.address, trust(one.mark));
  server.door.reload(two);
  for (let i = 0; i < 8; i++) await visit(server.address, trust(two.mark).trust);
  await before.write(new Uint8Array([9]));
  const buffer = new Uint8Array(1);
  assert.equal(await before.read(buffer), 1);
  assert.equal(buffer[0], 9);
});

Deno.test("large transfers in both directions at once arrive whole", async () => {
  const pair = await pairFor();
  await using server = EchoDoor.start(pair);
  const size = 8 * 1024 * 1024;
  using stream = await dial(server.address, {
    ...timeouts,
    trust: { knownHosts: undefined, pin: pair.mark },
  });
  const sent = new Uint8Array(size).map((_, i) => (i * 31 + (i >> 8)) & 255);
  const writing = (async () => {
    for (let at = 0; at < size; at += 100_000) await stream.write(sent.subarray(at, at + 100_000));
  })();
  const got = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const n = await stream.read(got.subarray(at, at + 70_000));
    assert.ok(n !== null, "the server has ended its side");
    at += n;
  }
  await writing;
  assert.equal(at, size);
  assert.ok(got.every((byte, i) => byte === sent[i]));
});
