/**
 * The connections of an HTTP door, and the requests on them. Invariants: a connection has a place at the
 * gate (core/watch/gate.ts) until it is closed; each request ends with its connection at the latest;
 * requests of one connection are carried out one after the other; no input of a client makes this module
 * throw.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { BargeError } from "../../error.ts";
import { formatAddress, unixPeer } from "../../net/address.ts";
import type { Presence } from "../../watch/roster.ts";
import { outcomeOf } from "../access.ts";
import { note } from "../failure.ts";
import { type App, failure } from "./app.ts";
import { answerHttpChallenge, isChallenge } from "./challenge.ts";
import { type Doorway, Exchange, type Head } from "./exchange.ts";
import { checkHead, framingFault } from "./head.ts";
import { checkHost } from "./origin.ts";
import { parseTarget, withoutPrefix } from "./path.ts";
import { unknownUrl } from "./problem.ts";
import { malformed, noProxy, refuse, tooManyConnections } from "./refuse.ts";
import { reply } from "./reply.ts";

/** The most requests of a connection that may be open; a connection with more is cut. */
const maxPipelinedRequests = 64;

/** The time that a new connection has for its first request when the server stops. */
const firstRequestMs = 1_000;

/** A connection with its open requests. */
interface Connection {
  readonly socket: Socket;
  readonly presence: Presence;
  readonly open: Map<Exchange, Promise<void>>;
  /** True once its first request has arrived. */
  begun: boolean;
  /** True after a request whose end is ambiguous. */
  broken: boolean;
}

export class Connections {
  readonly #server: Server;
  readonly #door: Doorway;
  readonly #app: App;
  /**
   * By the client's HOST:PORT: with TLS, requests have another socket than the connection. By the socket at
   * a Unix socket, where all clients have the same address and none speaks TLS.
   */
  readonly #connections = new Map<string | Socket, Connection>();
  /** Promises for the ends of all requests, also of closed connections. */
  readonly #ends = new Set<Promise<void>>();

  /** @param server not listening yet */
  constructor(server: Server, door: Doorway, app: App) {
    this.#app = app;
    this.#server = server;
    this.#door = door;
    server.on("connection", (socket: Socket) => this.#admit(socket));
    const decrypted = door.scheme === "https" ? "secureConnection" : "connection";
    server.on(decrypted, (socket: Socket) => {
      socket.once("end", () => void this.#endedSending(socket));
    });
    server.on("request", (req: IncomingMessage, res: ServerResponse) => this.#begin(req, res));
    server.on("checkContinue", (req: IncomingMessage, res: ServerResponse) => {
      this.#begin(req, res, () => res.writeContinue());
    });
    server.on("connect", (_: unknown, socket: Socket) => refuse(socket, noProxy));
    server.on("clientError", (error: Error & { code?: string }, socket: Socket) => {
      void this.#malformed(malformed(error.code), socket);
    });
    // E.g. no descriptor is left; the next connection is accepted when one is free.
    server.on("error", (error: Error) => note(error, "accept"));
  }

  get count(): number {
    return this.#connections.size;
  }

  /**
   * Lets open requests end, and cuts them after `graceMs`. A connection that was just accepted has a moment for
   * its first request: its client has no other answer to that request than a reset.
   */
  async stop(graceMs: number): Promise<void> {
    this.#door.stopping = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const fresh: Promise<void>[] = [];
    for (const { socket, open, begun } of this.#connections.values()) {
      if (!begun) fresh.push(new Promise((resolve) => socket.once("close", () => resolve())));
      else if (open.size === 0) socket.destroy();
    }
    const cut = setTimeout(() => {
      const reason = new BargeError("unavailable", "the server is stopping");
      this.#door.cut.abort(reason);
      for (const { open } of this.#connections.values()) {
        for (const exchange of open.keys()) exchange.cut(reason);
      }
    }, graceMs);
    if (fresh.length > 0) await inTime(Promise.all(fresh), Math.min(graceMs, firstRequestMs));
    while (this.#ends.size > 0) await Promise.all(this.#ends);
    clearTimeout(cut);
    for (const { socket } of this.#connections.values()) socket.destroy();
    await closed;
  }

  #admit(socket: Socket): void {
    const { store, scheme, proxy } = this.#door;
    const peer = proxy.peerOf(socket);
    const { host } = peer;
    const leave = store.gate.enter(proxy.trusts(host) ? undefined : host);
    if (!leave) {
      store.metrics.refused("http");
      return refuse(socket, tooManyConnections, scheme === "http");
    }
    const presence = store.roster.enter("http", formatAddress(peer));
    const connection: Connection = {
      socket,
      presence,
      open: new Map(),
      begun: false,
      broken: false,
    };
    const key = this.#keyOf(socket);
    this.#connections.set(key, connection);
    socket.on("error", () => {/* "close" follows */});
    socket.once("close", () => {
      if (this.#connections.get(key) === connection) this.#connections.delete(key);
      for (const exchange of connection.open.keys()) exchange.leave();
      presence.leave();
      leave();
    });
  }

  #connectionOf(socket: Socket): Connection | undefined {
    return this.#connections.get(this.#keyOf(socket));
  }

  #keyOf(socket: Socket): string | Socket {
    const peer = this.#door.proxy.peerOf(socket);
    return peer.host === unixPeer ? socket : formatAddress(peer);
  }

  #begin(req: IncomingMessage, res: ServerResponse, sendContinue?: () => void): void {
    const connection = this.#connectionOf(req.socket);
    if (!connection) return void req.socket.destroy(); // closed meanwhile
    connection.begun = true;
    if (connection.broken) return; // the connection ends after the ambiguous request
    if (connection.open.size >= maxPipelinedRequests) return void req.socket.destroy();
    const exchange = new Exchange(this.#door, req, res, connection.presence, sendContinue);
    connection.broken = framingFault(req) !== undefined;
    const before = [...connection.open.values()].at(-1);
    const served = before ? before.then(() => this.#serve(exchange)) : this.#serve(exchange);
    const end = served.finally(() => {
      connection.open.delete(exchange);
      this.#ends.delete(end);
    });
    connection.open.set(exchange, end);
    this.#ends.add(end);
  }

  /** Answers the complete requests of a client that has ended its side, and cuts an incomplete one. */
  async #endedSending(socket: Socket): Promise<void> {
    for (const [exchange, ended] of this.#connectionOf(socket)?.open ?? []) {
      if (!exchange.incoming.complete) return exchange.cutShort();
      await ended;
    }
  }

  /** Refuses malformed bytes. Inside a body its request fails; elsewhere earlier responses are sent first. */
  async #malformed(failed: BargeError, socket: Socket): Promise<void> {
    const connection = this.#connectionOf(socket);
    let refused = false;
    for (const [exchange, ended] of connection?.open ?? []) {
      if (!exchange.incoming.complete) {
        exchange.body.break(failed);
        refused = true;
      }
      await ended;
    }
    if (refused || !connection) socket.destroy();
    else refuse(socket, failed);
  }

  /** Never throws. */
  async #serve(exchange: Exchange): Promise<void> {
    using _ = exchange;
    const { incoming, access } = exchange;
    try {
      await reply(exchange, await this.#answer(exchange));
      access.end(exchange.failed?.kind ?? "ok");
      await exchange.linger();
    } catch (error) {
      access.end(outcomeOf(error));
      note(error, exchange.logEntry.address);
      incoming.socket.destroy();
    }
  }

  async #answer(exchange: Exchange): Promise<Response | Head> {
    const { incoming, method } = exchange;
    try {
      exchange.ended.signal.throwIfAborted();
      checkHead(incoming);
      if (incoming.url === "*" && method === "OPTIONS") return new Response(null, { status: 204 });
      if (isChallenge(exchange)) {
        exchange.enter();
        return await answerHttpChallenge(exchange);
      }
      checkHost(exchange);
      const { path: fullPath, query } = parseTarget(incoming.url ?? "");
      const { prefix } = exchange.door.proxy;
      const path = withoutPrefix(fullPath, prefix);
      if (path === undefined && fullPath === "/") {
        return new Response(null, { status: 303, headers: { location: `${prefix}/` } });
      }
      exchange.target = { path: path ?? fullPath, query };
      if (path === undefined) throw unknownUrl();
      exchange.enter();
      return await this.#app(exchange);
    } catch (error) {
      exchange.ended.signal.throwIfAborted();
      return failure(exchange, error);
    }
  }
}

/** Waits for a promise, at most for a time. */
async function inTime(promise: Promise<unknown>, ms: number): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, ms);
  await Promise.race([promise, late.promise]);
  clearTimeout(timer);
}
