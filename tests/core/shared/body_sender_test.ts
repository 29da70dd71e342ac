/** Requests with a body, against a TCP server that stops at each state of a request, as no real store can be made to. */
import assert from "node:assert/strict";
import { BodySender } from "../../../core/shared/bucket/body_sender.ts";
import { descriptorCount, until } from "../../_observe.ts";

const small = new Uint8Array(1000);
/** More than the kernel keeps for a connection whose peer does not read. */
const large = new Uint8Array(32 * 1024 * 1024);
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/** The most sockets of a sender. */
const maxSockets = 64;

/** The place at which the server stops to serve a connection; "nothing": it serves each request. */
type Stop = "head" | "body" | "answer" | "nothing";

/** An HTTP server that stops where a test needs it. */
class Server implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections: Deno.Conn[] = [];
  readonly url = `http://127.0.0.1:${this.#listener.addr.port}/bucket/name`;
  stop: Stop = "nothing";
  /** The number of connections so far. */
  accepted = 0;
  /** The number of requests so far whose head has come. */
  heads = 0;
  /** The number of requests so far that came to a stop. */
  stopped = 0;

  constructor() {
    this.#accept();
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      this.accepted++;
      this.#connections.push(connection);
      this.#serve(connection).catch(() => {/* cut */});
    }
  }

  async #serve(connection: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(65536);
    for (let text = "";;) {
      const n = await connection.read(buffer);
      if (n === null) return;
      text += new TextDecoder("latin1").decode(buffer.subarray(0, n));
      const [head, body] = text.split("\r\n\r\n", 2);
      if (body === undefined) continue;
      this.heads++;
      if (this.stop === "head") return void this.stopped++;
      let left = Number(/content-length: (\d+)/i.exec(head)![1]) - body.length;
      while (left > 0) left -= await connection.read(buffer) ?? left;
      if (this.stop === "body") return void this.stopped++;
      const answer = this.stop === "answer" ? ok.slice(0, -1) : ok;
      await connection.write(new TextEncoder().encode(answer));
      if (this.stop === "answer") return void this.stopped++;
      text = "";
    }
  }

  /** Opens a connection, and waits until it is accepted: connections that were opened before have been, too. */
  async reached(): Promise<void> {
    const { port } = this.#listener.addr;
    const { accepted } = this;
    using _ = await Deno.connect({ port });
    await until(() => this.accepted > accepted);
  }

  /** Waits until the clients of all connections have closed them. */
  async closed(): Promise<void> {
    const buffer = new Uint8Array(65536);
    for (const connection of this.#connections.splice(0)) {
      for (let n: number | null = 0; n !== null;) {
        n = await connection.read(buffer).catch(() => null);
      }
      connection.close();
    }
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
  }
}

function send(
  sender: BodySender,
  url: string,
  body: Uint8Array,
  signal: AbortSignal = AbortSignal.timeout(60_000),
): Promise<Response> {
  return sender.send(url, { method: "PUT", headers: new Headers(), body, signal });
}

/** Expects that a request ends with the reason of its signal. */
async function ends(request: Promise<unknown>, controller: AbortController): Promise<void> {
  const reason = new Error("the deadline");
  controller.abort(reason);
  await assert.rejects(request, (error) => error === reason);
}

for (const stop of ["head", "body", "answer"] as const) {
  for (const isReused of [false, true]) {
    const socket = isReused ? "a socket that is used again" : "a new socket";
    Deno.test(`a request on ${socket} ends with its signal when the server stops after the ${stop}`, async () => {
      using server = new Server();
      using sender = new BodySender();
      if (isReused) await send(sender, server.url, small);
      server.stop = stop;
      for (const [i, body] of [small, large].entries()) {
        const controller = new AbortController();
        const request = send(sender, server.url, body, controller.signal);
        await until(() => server.stopped === i + 1);
        await ends(request, controller);
      }
      assert.equal(server.accepted, 2);
      await server.closed();
      server.stop = "nothing";
      assert.equal((await send(sender, server.url, small)).status, 200);
      assert.equal(server.accepted, 3);
      assert.equal(server.heads, isReused ? 4 : 3, "nothing was sent twice");
    });
  }
}

Deno.test("a request that waits for a socket ends with its signal, and never opens one", async () => {
  using server = new Server();
  using sender = new BodySender();
  server.stop = "body";
  const all = new AbortController();
  const busy = Array.from(
    { length: maxSockets },
    () => send(sender, server.url, small, all.signal),
  );
  await until(() => server.stopped === maxSockets);
  const controller = new AbortController();
  const waiting = send(sender, server.url, small, controller.signal);
  await server.reached();
  assert.equal(server.accepted, maxSockets + 1);
  await ends(waiting, controller);
  const next = send(sender, server.url, small);
  all.abort();
  for (const request of busy) await assert.rejects(request);
  server.stop = "nothing";
  await next;
  assert.equal(server.accepted, maxSockets + 2);
});

Deno.test("a request that waits for its connection ends with its signal, and closes its socket", async () => {
  // Two connections fill the queue of this listener, which accepts none.
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const { port } = listener.addr as Deno.NetAddr;
  using _first = await Deno.connect({ port });
  using _second = await Deno.connect({ port });
  const before = descriptorCount(Deno.pid);
  using sender = new BodySender();
  for (const body of [small, large]) {
    const controller = new AbortController();
    const request = send(sender, `http://127.0.0.1:${port}/b`, body, controller.signal);
    await until(() => isConnecting(port));
    await ends(request, controller);
  }
  await until(() => descriptorCount(Deno.pid) <= before && !isConnecting(port));
});

/** Returns whether a socket of this machine waits for the answer of a port. */
function isConnecting(port: number): boolean {
  const remote = `:${port.toString(16).toUpperCase().padStart(4, "0")} 02 `;
  return Deno.readTextFileSync("/proc/net/tcp").includes(remote);
}

Deno.test("a request ends with a signal that comes before it has a socket", async () => {
  using server = new Server();
  const before = descriptorCount(Deno.pid);
  {
    using sender = new BodySender();
    for (let turns = 0; turns < 10; turns++) {
      const controller = new AbortController();
      const request = send(sender, server.url, small, controller.signal);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      await ends(request, controller);
    }
    assert.equal((await send(sender, server.url, small)).status, 200);
  }
  await server.closed();
  await until(() => descriptorCount(Deno.pid) <= before);
});

Deno.test("one socket serves requests one after another, and is closed with the sender", async () => {
  using server = new Server();
  {
    using sender = new BodySender();
    for (const body of [small, large, small]) {
      const answer = await send(sender, server.url, body);
      assert.equal(await answer.text(), "ok");
    }
    assert.equal(server.accepted, 1);
    server.stop = "body";
    const busy = send(sender, server.url, small);
    await until(() => server.stopped === 1);
    sender[Symbol.dispose]();
    await assert.rejects(busy);
    await assert.rejects(send(sender, server.url, small), /closed/);
  }
  await server.closed();
  assert.equal(server.accepted, 1);
});

Deno.test("a socket whose answer came before the whole body was sent serves no other request", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  using sender = new BodySender();
  for (let i = 0; i < 2; i++) {
    const request = send(sender, `http://127.0.0.1:${port}/b`, large);
    using connection = await listener.accept();
    await connection.write(new TextEncoder().encode(ok.replace("200 OK", "403 Forbidden")));
    assert.equal((await request).status, 403);
    const buffer = new Uint8Array(65536);
    let bytes = 0;
    for (let n: number | null = 0; n !== null; bytes += n ?? 0) {
      n = await connection.read(buffer).catch(() => null);
    }
    assert.ok(bytes < large.length, "the rest of the body is not sent");
  }
});

Deno.test("an answer that is too long, or none of HTTP, fails the request", async () => {
  const long = `HTTP/1.1 500 Failed\r\nContent-Length: 70000\r\n\r\n${"x".repeat(70_000)}`;
  for (const answer of [long, "SSH-2.0-none\r\n\r\n"]) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    using sender = new BodySender();
    const { port } = listener.addr as Deno.NetAddr;
    const request = assert.rejects(send(sender, `http://127.0.0.1:${port}/b`, small));
    using connection = await listener.accept();
    await connection.write(new TextEncoder().encode(answer));
    await request;
    const buffer = new Uint8Array(65536);
    while (await connection.read(buffer).catch(() => null) !== null);
  }
});
