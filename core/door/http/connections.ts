/**
 * The connections of an HTTP door, and the requests on them.
 *
 *   let in -> (idle -> request)* -> closed
 *
 * Invariants: who is let in has a place at the gate until the connection is closed; each request ends,
 * at the latest when its connection does; those of one connection are carried out one after the other,
 * as they are answered; nothing that a client sends throws out of here.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Hono } from "hono";
import { BargeError } from "../../error.ts";
import { formatAddress } from "../../net/address.ts";
import type { Presence } from "../../watch/roster.ts";
import { outcomeOf } from "../access.ts";
import { note } from "../failure.ts";
import { failure } from "./app.ts";
import { type Doorway, Exchange, type HttpEnv } from "./exchange.ts";
import { checkHead, framingFault } from "./head.ts";
import { checkHost } from "./origin.ts";
import { parseTarget, withoutPrefix } from "./path.ts";
import { nothing } from "./problem.ts";
import { crowded, malformed, noProxy, refuse } from "./refuse.ts";
import { reply } from "./reply.ts";

/** So many requests of a connection may wait for the one before them; who sends more is cut. */
const mostAhead = 64;

/** A connection, and its requests that are not over. */
interface Link {
  readonly socket: Socket;
  readonly presence: Presence;
  readonly open: Map<Exchange, Promise<void>>;
  /** Has it sent a request after which nothing can be told apart? */
  broken: boolean;
}

export class Hosting {
  readonly #server: Server;
  readonly #door: Doorway;
  readonly #app: Hono<HttpEnv>;
  /** By the client's HOST:PORT: with TLS a request comes on another socket than was let in. */
  readonly #links = new Map<string, Link>();
  /** The ends of all requests, also of those whose connection is gone. */
  readonly #ends = new Set<Promise<void>>();

  /** @param server not listening yet @param app what it answers */
  constructor(server: Server, door: Doorway, app: Hono<HttpEnv>) {
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
    // No descriptor may be left: the next connection is accepted when there is one.
    server.on("error", (error: Error) => note(error, "accept"));
  }

  get connections(): number {
    return this.#links.size;
  }

  /** Lets what is under way end, and cuts it after `grace` ms. */
  async stop(grace: number): Promise<void> {
    this.#door.stopping = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const cut = setTimeout(() => {
      const reason = new BargeError("unavailable", "the server is stopping");
      this.#door.cut.abort(reason);
      for (const { open } of this.#links.values()) {
        for (const exchange of open.keys()) exchange.cut(reason);
      }
    }, grace);
    while (this.#ends.size > 0) await Promise.all(this.#ends);
    clearTimeout(cut);
    for (const { socket } of this.#links.values()) socket.destroy();
    await closed;
  }

  #admit(socket: Socket): void {
    const { store, scheme, front } = this.#door;
    const { remoteAddress: host = "?", remotePort: port = 0 } = socket;
    const leave = store.gate.enter(front.trusts(host) ? undefined : host);
    if (!leave) {
      store.metrics.refused("http");
      return refuse(socket, crowded, scheme === "http");
    }
    const address = formatAddress({ host, port });
    const presence = store.roster.enter("http", address);
    const link: Link = { socket, presence, open: new Map(), broken: false };
    this.#links.set(address, link);
    socket.on("error", () => {/* its end is what counts */});
    socket.once("close", () => {
      if (this.#links.get(address) === link) this.#links.delete(address);
      for (const exchange of link.open.keys()) exchange.leave();
      link.presence.leave();
      leave();
    });
  }

  #linkOf({ remoteAddress: host = "?", remotePort: port = 0 }: Socket): Link | undefined {
    return this.#links.get(formatAddress({ host, port }));
  }

  #begin(req: IncomingMessage, res: ServerResponse, goOn?: () => void): void {
    const link = this.#linkOf(req.socket);
    if (!link) return void req.socket.destroy(); // it is gone already
    if (link.broken) return; // what comes is no request of its own: the connection ends
    if (link.open.size >= mostAhead) return void req.socket.destroy();
    const exchange = new Exchange(this.#door, req, res, link.presence, goOn);
    link.broken = framingFault(req) !== undefined;
    const before = [...link.open.values()].at(-1);
    const served = before ? before.then(() => this.#serve(exchange)) : this.#serve(exchange);
    const end = served.finally(() => {
      link.open.delete(exchange);
      this.#ends.delete(end);
    });
    link.open.set(exchange, end);
    this.#ends.add(end);
  }

  /**
   * Notes that the client has ended its side. Complete requests are answered, an incomplete one is
   * cut. Where half-closed connections are allowed, the parser does not report this end.
   */
  async #endedSending(socket: Socket): Promise<void> {
    for (const [exchange, ended] of this.#linkOf(socket)?.open ?? []) {
      if (!exchange.incoming.complete) return exchange.cutShort();
      await ended;
    }
  }

  /**
   * Inside a body that makes no sense, its request is refused; behind a whole request, the connection
   * ends after that one's answer.
   */
  async #malformed(failed: BargeError, socket: Socket): Promise<void> {
    const link = this.#linkOf(socket);
    let told = false;
    for (const [exchange, ended] of link?.open ?? []) {
      if (!exchange.incoming.complete) {
        exchange.body.break(failed);
        told = true;
      }
      await ended;
    }
    if (told || !link) socket.destroy();
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
      note(error, exchange.asked.address);
      incoming.socket.destroy();
    }
  }

  async #answer(exchange: Exchange): Promise<Response> {
    const { incoming, method } = exchange;
    try {
      exchange.ended.signal.throwIfAborted();
      checkHead(incoming);
      if (incoming.url === "*" && method === "OPTIONS") return new Response(null, { status: 204 });
      checkHost(exchange);
      const { path: whole, query } = parseTarget(incoming.url ?? "");
      const { prefix } = exchange.door.front;
      const path = withoutPrefix(whole, prefix);
      if (path === undefined && whole === "/") {
        return new Response(null, { status: 303, headers: { location: `${prefix}/` } });
      }
      exchange.target = { path: path ?? whole, query };
      if (path === undefined) throw nothing();
      exchange.enter();
      const url = `http://barge${path}${query && `?${query}`}`;
      const headers = new Headers();
      for (const [name, value] of Object.entries(incoming.headers)) {
        headers.set(name, Array.isArray(value) ? value.join(", ") : value ?? "");
      }
      return await this.#app.fetch(new Request(url, { method, headers }), exchange);
    } catch (error) {
      exchange.ended.signal.throwIfAborted();
      return failure(exchange, error);
    }
  }
}
