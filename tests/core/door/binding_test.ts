/** Logins over TLS are bound to the server's certificate: a stand-in can't pass them on. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Database } from "../../../core/local/database/database.ts";
import { Client } from "../../../core/client/client.ts";
import { connect } from "../../../core/client/connect.ts";
import { login } from "../../../core/client/login.ts";
import { passwd, register } from "../../../core/client/password.ts";
import { openDoor } from "../../../core/door/native/listen.ts";
import { verbs } from "../../../core/door/native/verbs.ts";
import { BargeError } from "../../../core/error.ts";
import type { KeyPair } from "../../../core/net/certificate.ts";
import { dialTls } from "../../../core/net/dial_tls.ts";
import { bindingsOf } from "../../../core/net/channel_binding.ts";
import { TlsListener } from "../../../core/net/listen_tls.ts";
import { type Pipe, Stream } from "../../../core/net/stream.ts";
import { encodeFrame } from "../../../core/protocol/frame.ts";
import { FrameReader } from "../../../core/protocol/reader.ts";
import { nonce } from "../../../core/protocol/scram.ts";
import { quickProof, verifierOf } from "../../_passwords.ts";
import { prepareData } from "../../../core/serve/data.ts";
import { type Settings, Store } from "../../../core/local/store.ts";
import { here, pairFor } from "../net/_tls.ts";

const account = "anna";
const password = "anna-secret";
const verifier = await verifierOf(password);

/** The native door with the account anna; with TLS where a certificate is given. */
async function doorWith(tls: KeyPair | undefined, settings: Partial<Settings> = {}) {
  const data = prepareData(await Deno.makeTempDir({ prefix: "barge-door-" }));
  new Database(data, { create: true })[Symbol.dispose]();
  const store = new Store({
    ...{ data, durability: "relaxed", allowRegister: true, defaultLimit: null, maxLimit: null },
    ...settings,
  });
  store.accounts.add({ name: account, role: "user", limit: null, verifier });
  const spec = { name: "native", address: here, tls: tls ? "require" : "off" } as const;
  const door = await openDoor({ store, spec, reusePort: false, tls });
  return {
    store,
    door,
    async [Symbol.asyncDispose]() {
      await door.stop(0);
      store[Symbol.dispose]();
      await Deno.remove(data, { recursive: true });
    },
  };
}

/**
 * Shows a certificate of its own, and passes on all that it is sent.
 *
 * @param dial connects to the server behind it
 * @param change what it does to what the server sends
 */
function standIn(
  pair: KeyPair,
  dial: () => Promise<Pipe>,
  change: (text: Uint8Array) => Uint8Array = (bytes) => bytes,
) {
  const door = new TlsListener(here, pair);
  const pipes: Pipe[] = [];
  const copy = async (from: Pipe, to: Pipe, change = (bytes: Uint8Array) => bytes) => {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (let n; (n = await from.read(buffer)) !== null;) {
        const bytes = change(buffer.slice(0, n));
        for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
      }
    } catch { /* either is gone */ }
    close(to);
  };
  const close = (pipe: Pipe) => {
    try {
      pipe.close();
    } catch { /* it is closed */ }
  };
  const tasks: Promise<void>[] = [];
  const accepting = (async () => {
    try {
      while (true) {
        const client = await door.accept();
        const server = await dial();
        pipes.push(client, server);
        tasks.push(copy(client, server), copy(server, client, change));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  })();
  return {
    address: { host: "127.0.0.1", port: door.addr.port },
    async [Symbol.asyncDispose]() {
      door.close();
      await accepting;
      pipes.forEach(close);
      await Promise.all(tasks);
    },
  };
}

const timeout = () => AbortSignal.timeout(10_000);
const trusting = (pair: { mark: unknown }) => ({
  trust: { knownHosts: undefined, pin: pair.mark as never },
});

/** Logs in as `barge` does, the login sent along with hello. */
async function enter(
  address: { host: string; port: number },
  pair: { mark: unknown },
  together = true,
): Promise<string> {
  let sent: Promise<{ account: string }> | undefined;
  await using client = await connect({ ...address, ...trusting(pair) }, {
    sendWithHello: (client) => {
      if (together) sent = login(client, { account, password });
      sent?.catch(() => {/* awaited below */});
    },
  });
  return (await (sent ?? login(client, { account, password }))).account;
}

const kind = (kind: string, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof BargeError, String(error));
  assert.equal(error.kind, kind, error.toString());
  assert.match(error.toString(), text);
  return true;
};

Deno.test("a login that a stand-in with another certificate passes on is refused", async () => {
  const [own, other] = [await pairFor(), await pairFor()];
  await using server = await doorWith(own);
  const { address } = server.door;
  const behind = async () => (await dialTls(address, timeout())).pipe;
  for (const together of [true, false]) assert.equal(await enter(address, own, together), account);
  await using relay = standIn(other, behind);
  const shown = kind("identity", /another certificate/);
  await assert.rejects(enter(relay.address, other), shown);
  await assert.rejects(enter(relay.address, other, false), shown);
  // With the server's own certificate and key it would be the server.
  await using same = standIn(own, behind);
  assert.equal(await enter(same.address, own), account);
});

Deno.test("nobody between can talk the two sides out of the binding", async () => {
  const [own, other] = [await pairFor(), await pairFor()];
  await using server = await doorWith(own);
  const { address } = server.door;
  const behind = async () => (await dialTls(address, timeout())).pipe;
  await using relay = standIn(other, behind, (bytes) => {
    const text = Buffer.from(bytes).toString("latin1");
    return Buffer.from(text.replace('"binding"', '"bindinG"'), "latin1");
  });
  await assert.rejects(enter(relay.address, other), kind("identity", /does not bind logins/));
  // A proof without a binding, or with another one, is refused, whatever else it shows.
  const cases: [binding: string | undefined, signed: string | undefined, answer: string][] = [
    [undefined, undefined, "unsupported"],
    [undefined, bindingsOf(own.cert)[0], "unsupported"],
    [bindingsOf(other.cert)[0], bindingsOf(other.cert)[0], "identity"],
    ["", "", "identity"],
    [bindingsOf(own.cert)[0], undefined, "unauthenticated"],
    [bindingsOf(own.cert)[0], bindingsOf(other.cert)[0], "unauthenticated"],
    [bindingsOf(own.cert)[0], bindingsOf(own.cert)[0], "ok"],
  ];
  for (const [binding, signed, answer] of cases) {
    const stream = new Stream((await dialTls(address, timeout())).pipe, "server", 10_000);
    using _ = stream;
    const reader = new FrameReader(stream);
    const ask = async (request: object) => {
      await stream.write(encodeFrame({ ...request }));
      // deno-lint-ignore no-explicit-any
      return (await reader.frame())!.value as any;
    };
    assert.equal((await ask({ verb: "hello", version: 1 })).binding, "tls-server-end-point");
    const asked = { mechanism: "password", account, nonce: nonce() } as const;
    const { nonce: serverNonce, salt, n, r, p } = await ask({ verb: "auth", ...asked });
    const exchange = { ...asked, clientNonce: asked.nonce, serverNonce, salt, n, r, p };
    const proof = quickProof(password, { ...exchange, binding: signed });
    const told = await ask({ verb: "proof", proof, binding });
    assert.equal(told.ok ? "ok" : told.error.kind, answer, `${binding} ${signed}`);
  }
});

Deno.test("a login is bound to the certificate that its own connection was shown", async () => {
  const [old, renewed] = [await pairFor(), await pairFor()];
  await using server = await doorWith(old);
  const { address } = server.door;
  await using before = await connect({ ...address, ...trusting(old) });
  await server.door.reload!(renewed);
  assert.equal((await login(before, { account, password })).account, account);
  assert.equal(await enter(address, renewed), account);
});

Deno.test("behind a proxy that ends TLS, its certificate is named, or nobody logs in", async () => {
  const pair = await pairFor();
  for (const named of [true, false]) {
    const settings = named ? { proxyBindings: bindingsOf(pair.cert) } : {};
    await using server = await doorWith(undefined, settings);
    const { host: hostname, port } = server.door.address;
    await using proxy = standIn(pair, () => Deno.connect({ hostname, port }));
    if (named) {
      assert.equal(await enter(proxy.address, pair), account);
      await using plain = await connect({ host: hostname, port });
      await assert.rejects(
        login(plain, { account, password }),
        kind("unsupported", /not bound to the server's certificate/),
      );
    } else {
      await assert.rejects(enter(proxy.address, pair), kind("identity", /does not bind logins/));
      await using plain = await connect({ host: hostname, port });
      assert.equal((await login(plain, { account, password })).account, account);
    }
  }
});

Deno.test("register and passwd need TLS, but for this machine; the verifier is not sent", async () => {
  const needs = kind("refused", /needs TLS/);
  await using server = await doorWith(undefined);
  for (const host of ["192.0.2.1", "2001:db8::1"]) {
    const c = { store: server.store, host, tlsBindings: [] as string[] };
    const asked = { verb: "register", account: "bob", verifier, limit: 1000 } as const;
    const made = async (c: object) =>
      await verbs.register.handle(c as never, asked, undefined as never);
    await assert.rejects(made(c), needs);
    const change = { verb: "passwd", verifier } as const;
    const changed = () => verbs.passwd.handle(c as never, change, undefined as never);
    await assert.rejects(async () => await changed(), needs);
    assert.equal(server.store.accounts.find("bob"), undefined);
    await made({ ...c, tlsBindings: bindingsOf((await pairFor()).cert) });
    server.store.accounts.remove("bob");
  }
  let written = 0;
  const pipe: Pipe = {
    read: () => new Promise(() => {}),
    write: (bytes) => Promise.resolve((written += bytes.length, bytes.length)),
    closeWrite: () => Promise.resolve(),
    close() {},
  };
  for (const peer of ["192.0.2.1:7171", "box.example:7171", "[2001:db8::1]:7171"]) {
    await using client = new Client(new Stream(pipe, peer, 10_000));
    await assert.rejects(register(client, "bob", "bob-secret"), needs);
    await assert.rejects(
      passwd(client, { account: "bob", old: "bob-secret", password: "new-secret" }),
      needs,
    );
    assert.equal(written, 0);
  }
});
