/**
 * Opens the HTTP door.
 *
 * On Node's server, not on `Deno.serve`: that shows no connection, only requests. It waits for the
 * head of a request for ever (a connection that sends a byte a minute stays), so that neither the
 * gate nor a deadline could hold there; it resolves `..` in paths before they can be refused; and to
 * show a renewed certificate it has to be opened anew. Measured on the machine that this was written
 * on, one worker: 2.3 against 1.5 GB/s for a download of 1 GiB, 1.1 against 1.0 for an upload, 24,000
 * against 37,000 small answers a second.
 *
 *   open -> stopping -> stopped
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { Socket } from "node:net";
import { BargeError } from "../../error.ts";
import { formatAddress } from "../../net/address.ts";
import type { KeyPair } from "../../net/certificate.ts";
import { usable } from "../../net/listen_tls.ts";
import type { Presence } from "../../session/roster.ts";
import { outcomeOf } from "../access.ts";
import type { Door, Opening } from "../door.ts";
import { note } from "../failure.ts";
import { failure, makeApp } from "./app.ts";
import { Logins } from "./auth.ts";
import { type Doorway, Exchange } from "./exchange.ts";
import { cookieLogin } from "./page/view.ts";
import { parseTarget } from "./path.ts";
import { crowded, longestHead, malformed, refuse } from "./refuse.ts";
import { reply } from "./reply.ts";
import { type Patience, patience } from "./vigil.ts";

const checkEvery = 1000;

/** As the operator asks for it. @throws as `OpenDoor` */
export async function openDoor(opening: Opening): Promise<Door> {
  return await listenHttp(opening, patience);
}

/** @param allowed how long clients may take @throws as `OpenDoor` */
export async function listenHttp(opening: Opening, allowed: Patience): Promise<Door> {
  const { store, spec, reusePort, tls } = opening;
  const scheme = tls ? "https" : "http";
  const doorway: Doorway = {
    store,
    scheme,
    logins: new Logins(store, cookieLogin(scheme)),
    patience: allowed,
    stopping: false,
  };
  const options = {
    maxHeaderSize: longestHead,
    headersTimeout: allowed.head,
    requestTimeout: 0, // each piece of a body has a deadline of its own
    keepAliveTimeout: allowed.idle,
    connectionsCheckingInterval: checkEvery,
    noDelay: true,
  };
  const server = tls
    ? usable(() => createTlsServer({ ...options, ...secured(tls, allowed) }))
    : createServer(options);
  const hosting = new Hosting(server, doorway);
  const { host, port } = spec.address;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, reusePort }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const reload = (pair: KeyPair) => {
    usable(() => (server as TlsServer).setSecureContext(secured(pair, allowed)));
  };
  return {
    address: { host, port: (server.address() as { port: number }).port },
    get connections() {
      return hosting.connections;
    },
    stop: (grace) => hosting.stop(grace),
    ...tls ? { reload } : {},
  };
}

function secured({ cert, key }: KeyPair, { head }: Patience) {
  return {
    cert,
    key,
    ALPNProtocols: ["http/1.1"],
    minVersion: "TLSv1.2" as const,
    handshakeTimeout: head,
  };
}

class Hosting {
  readonly #server: Server;
  readonly #door: Doorway;
  readonly #app = makeApp();
  readonly #sockets = new Map<Socket, Presence>();
  readonly #open = new Map<Exchange, Promise<void>>();

  constructor(server: Server, door: Doorway) {
    this.#server = server;
    this.#door = door;
    server.on("connection", (socket: Socket) => this.#admit(socket));
    server.on("request", (req: IncomingMessage, res: ServerResponse) => this.#begin(req, res));
    server.on("checkContinue", (req: IncomingMessage, res: ServerResponse) => {
      this.#begin(req, res, () => res.writeContinue());
    });
    server.on("clientError", (error: Error & { code?: string }, socket: Socket) => {
      refuse(socket, malformed(error.code));
    });
    // No descriptor may be left: the next connection is accepted when there is one.
    server.on("error", (error: Error) => note(error, "accept"));
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Lets what is under way end, and cuts it after `grace` ms. */
  async stop(grace: number): Promise<void> {
    this.#door.stopping = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const cut = setTimeout(() => {
      const reason = new BargeError("unavailable", "the server is stopping");
      for (const exchange of this.#open.keys()) exchange.cut(reason);
    }, grace);
    await Promise.all(this.#open.values());
    clearTimeout(cut);
    for (const socket of this.#sockets.keys()) socket.destroy();
    await closed;
  }

  #admit(socket: Socket): void {
    const { store, scheme } = this.#door;
    const { remoteAddress: host = "?", remotePort: port = 0 } = socket;
    const leave = store.gate.enter(host);
    if (!leave) {
      store.metrics.refused("http");
      return refuse(socket, crowded, scheme === "http");
    }
    const presence = store.roster.enter("http", formatAddress({ host, port }));
    this.#sockets.set(socket, presence);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      presence.leave();
      leave();
    });
  }

  #begin(req: IncomingMessage, res: ServerResponse, goOn?: () => void): void {
    const exchange = new Exchange(this.#door, req, res, this.#presenceOf(req.socket), goOn);
    const ended = this.#serve(exchange).finally(() => this.#open.delete(exchange));
    this.#open.set(exchange, ended);
  }

  /** With TLS a request comes on a socket of its own, above the one that was let in. */
  #presenceOf(socket: Socket & { _parent?: Socket }): Presence | undefined {
    return this.#sockets.get(socket._parent ?? socket);
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
      exchange.target = parseTarget(incoming.url ?? "");
      const { path, query } = exchange.target;
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
