/**
 * An exchange: one request and its response. Handlers find it as `env` of Hono's context.
 *
 *   arrived -> (logged in) -> answered -> over
 *                         \-> cut          the client left, was too slow, or the server stops
 *
 * Invariants: at the end of an exchange `ended` is aborted, the account's place at the gate
 * (core/watch/gate.ts) is given back, and the access log has one record of the exchange.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { BargeError } from "../../error.ts";
import { delay } from "../../net/delay.ts";
import type { Presence } from "../../watch/roster.ts";
import type { Session } from "../../login/session.ts";
import type { Service } from "../../login/service.ts";
import { Access } from "../access.ts";
import { type Brake, brakeOf } from "../brake.ts";
import { Body } from "./body.ts";
import type { ReverseProxy } from "./reverse_proxy.ts";
import { decodeLeniently, type Target, type TreePath, treePath, withoutPrefix } from "./path.ts";
import { tooManyConnections } from "./refuse.ts";
import { type Timeouts, Watchdog } from "./watchdog.ts";

/** The state that all exchanges of a door share. */
export interface Doorway {
  readonly store: Service;
  readonly scheme: "http" | "https";
  /** The trusted proxies and the public URL. */
  readonly proxy: ReverseProxy;
  readonly logins: { identify(exchange: Exchange): Promise<void> };
  readonly timeouts: Timeouts;
  /** Whether it answers a certificate authority's challenges. */
  readonly challenges: boolean;
  /** True once the door takes no more requests. */
  stopping: boolean;
  /** Aborted when the stopping server cuts the requests under way. */
  readonly cut: AbortController;
}

/** The pieces of a response body; see `Exchange.send`. */
export type Source = AsyncGenerator<Uint8Array, void, void>;

/** The status and the fields of a response; its body is the exchange's source. */
export interface Head {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
}

/** The environment of Hono's handlers: `c.env` is the exchange. */
export interface HttpEnv {
  Bindings: Exchange;
}

export class Exchange implements Disposable {
  readonly door: Doorway;
  readonly store: Service;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** The client's numeric address. */
  readonly host: string;
  /** True if the client speaks TLS; then its cookies are for TLS only. */
  readonly secure: boolean;
  readonly method: string;
  /** Aborted at the end of the exchange. */
  readonly ended = new AbortController();
  /** The facts for the access log and the metrics. Handlers replace a path that holds a secret. */
  readonly logEntry: { door: "http"; address: string; verb: string; path: string; to?: string };
  readonly access: Access;
  /** The login, if there is one; see auth.ts. */
  session: Session | undefined;
  /** The failure that the access log records. */
  failed: BargeError | undefined;
  /** The URL's path, still encoded, and its query. Set before any handler runs. */
  target!: Target;
  /** The body that `send` was given. */
  source: Source | Uint8Array | undefined;
  readonly body: Body;
  readonly #watchdog: Watchdog;
  readonly #presence: Presence | undefined;
  #leaveAccount = () => {};
  /** True if the request itself needs a place at the gate: a trusted proxy has passed it on. */
  readonly #proxied: boolean;
  #leaveAddress = () => {};
  #endLinger = () => {};

  /**
   * @param presence the connection in the roster
   * @param sendContinue sends `100 Continue` to a client that waits for it; undefined for others
   */
  constructor(
    door: Doorway,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    presence: Presence | undefined,
    sendContinue: (() => void) | undefined,
  ) {
    const { host, address, proxied, secure } = door.proxy.clientOf(incoming);
    this.door = door;
    this.store = door.store;
    this.incoming = incoming;
    this.outgoing = outgoing;
    this.host = host;
    this.secure = secure;
    this.method = incoming.method ?? "";
    const path = loggedPath(incoming.url ?? "", door.proxy.prefix);
    this.logEntry = { door: "http", address, verb: this.method, path };
    const { traceparent } = incoming.headers;
    const client = typeof traceparent === "string" ? traceparent : undefined;
    this.access = new Access(this.logEntry, door.store.metrics, client);
    this.#presence = presence;
    if (presence) presence.doing = this.access;
    // A proxy sends requests of many clients on one connection.
    if (presence && proxied) Object.assign(presence, { address, account: null });
    this.#proxied = proxied;
    // The probe (see Watchdog) is an interim response, which may come at any time before the final one
    // (RFC 9110, section 15.2).
    const probe = door.scheme === "https" && incoming.httpVersion === "1.1"
      ? () => void (outgoing.headersSent || outgoing.writeContinue())
      : undefined;
    this.#watchdog = new Watchdog(door.timeouts, (reason) => this.cut(reason), probe);
    outgoing.once("close", this.#closed);
    // Readers and writers learn of errors in other ways; without listeners the process would end.
    incoming.on("error", () => {});
    outgoing.on("error", () => {});
    this.body = new Body({
      incoming,
      watchdog: this.#watchdog,
      sendContinue,
      brake: () => this.#brake("up"),
      onShort: () => this.leave(),
      onBytes: (bytes) => this.access.bytes += bytes,
    });
  }

  /** True if no request can follow on this connection, which then ends with the response. */
  get isLast(): boolean {
    return this.door.stopping || this.body.awaitsContinue || this.failed?.kind === "protocol";
  }

  /** Returns the path of the tree that follows a prefix in the URL, and records it in the log entry. */
  pathBelow(prefix: string): TreePath {
    const below = treePath(this.target.path.slice(prefix.length));
    this.logEntry.path = below.path;
    return below;
  }

  /** Returns a header of the request; several of one name are joined with commas. */
  readonly header = (name: string): string | undefined => {
    const value = this.incoming.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  };

  /** The start of the server's URLs for the client: scheme, host and prefix. */
  get base(): string {
    const { publicUrl } = this.door.proxy;
    if (publicUrl) return publicUrl.origin + publicUrl.prefix;
    return `${this.secure ? "https" : "http"}://${this.header("host") ?? "localhost"}`;
  }

  /**
   * Takes a place at the gate for the client's address, unless its connection has one.
   *
   * @throws {BargeError} `unavailable` when that address has too many requests under way
   */
  enter(): void {
    if (!this.#proxied) return;
    const leave = this.store.gate.visit(this.host);
    if (!leave) throw tooManyConnections;
    this.#leaveAddress = leave;
  }

  /**
   * Logs the request in.
   *
   * @throws {BargeError} `unavailable` when the account has too many requests under way
   */
  admit(session: Session): void {
    this.access.account = session.name;
    const leave = this.store.gate.login(session.id);
    if (!leave) {
      const hint = "try again later, or end some of the others";
      const why = "the account has too many requests under way";
      throw new BargeError("unavailable", why, { op: "log in", hint });
    }
    this.#leaveAccount();
    const leaveLive = this.store.live.enter(session, (reason) => this.cut(reason));
    this.#leaveAccount = () => {
      leaveLive();
      leave();
    };
    this.session = session;
    if (this.#presence) this.#presence.account = session.name;
  }

  /** Gives the request a share link's session, which takes no place of the account at the gate. */
  visit(session: Session): AuthenticatedExchange {
    this.#leaveAccount();
    this.#leaveAccount = this.store.live.enter(session, (reason) => this.cut(reason));
    return Object.assign(this, { session });
  }

  /** Waits before a failed login is answered, at most until the client leaves. */
  readonly pause = (ms: number): Promise<void> => delay(ms, this.ended.signal);

  /**
   * Returns a Response whose body is sent from a source: `return c.env.send(source, init)`.
   *
   * @param source all bytes, or a generator, which is ended early when the client leaves. A piece must
   *   not change until the next one is pulled
   */
  send(source: Source | Uint8Array, init: ResponseInit): Response {
    this.source = source;
    return new Response(null, init);
  }

  /**
   * Writes a piece of the body, and waits until the system has it: then the piece may change.
   *
   * @throws {BargeError} `unavailable` when the client has left, or reads nothing
   */
  async write(piece: Uint8Array): Promise<void> {
    const brake = this.#brake("down");
    const step = brake?.piece ?? piece.length;
    for (let at = 0; at < piece.length; at += step) {
      const part = at === 0 && step >= piece.length ? piece : piece.subarray(at, at + step);
      await brake?.hold(part.length);
      await this.#wrote(part.length, (done) => this.outgoing.write(part, done));
    }
  }

  /** Ends the response, with its last piece. @throws as {@link write} */
  async end(piece?: Uint8Array): Promise<void> {
    if (piece) await this.#brake("down")?.hold(piece.length);
    await this.#wrote(piece?.length ?? 0, (done) => this.outgoing.end(piece, () => done()));
  }

  /** Cuts the connection. */
  cut(reason: BargeError): void {
    this.ended.abort(reason);
    this.body.break(reason);
    this.incoming.socket.destroy();
  }

  /** Cuts a request whose client has ended its side, once the bytes that have arrived are read. */
  cutShort(): void {
    this.body.cutShort();
    this.#endLinger();
  }

  /** Ends the exchange of a closed connection. */
  leave(): void {
    this.cut(clientLeft);
  }

  /** Discards the rest of a body, so that the client sees the response; limited in time. */
  async linger(): Promise<void> {
    const { incoming } = this;
    if (incoming.complete || incoming.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cut = setTimeout(() => incoming.socket.destroy(), this.door.timeouts.lingerMs);
    for (const event of ["end", "close", "error"]) incoming.once(event, resolve);
    this.ended.signal.addEventListener("abort", () => resolve(), { once: true });
    this.#endLinger = resolve;
    if (this.body.isShort) resolve();
    incoming.resume();
    await promise;
    clearTimeout(cut);
    if (this.body.isShort) incoming.socket.destroy();
  }

  [Symbol.dispose](): void {
    this.outgoing.off("close", this.#closed);
    this.#leaveAccount();
    this.#leaveAddress();
    if (this.#presence?.doing === this.access) this.#presence.doing = null;
    this.#watchdog[Symbol.dispose]();
    this.ended.abort(requestEnded);
  }

  #brake(direction: "up" | "down"): Brake | undefined {
    return brakeOf(this.store.rates[direction], this.session?.id, this.ended.signal);
  }

  readonly #closed = () => {
    if (!this.outgoing.writableFinished) this.ended.abort(clientLeft);
  };

  /** Writes bytes, and waits until the system has them. @throws as {@link write} */
  async #wrote(bytes: number, write: (done: (error?: unknown) => void) => void): Promise<void> {
    const { signal } = this.ended;
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    try {
      write((error) => error ? reject(clientLeft) : resolve());
      await this.#watchdog.wait("write", bytes, promise);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }
}

/** The exchange of a request with a login. */
export interface AuthenticatedExchange extends Exchange {
  readonly session: Session;
}

/** Returns whether a request has a login. */
export function isAuthenticated(exchange: Exchange): exchange is AuthenticatedExchange {
  return exchange.session !== undefined;
}

const requestEnded = new BargeError("unavailable", "the request is over");
const clientLeft = new BargeError("unavailable", "the client is gone");

/** Returns a URL's path for the access log, without query and link tokens. */
function loggedPath(url: string, prefix: string): string {
  const full = url.split("?", 1)[0].replace(/^https?:\/\/[^/]*/i, "");
  const path = withoutPrefix(full, prefix) ?? full;
  return decodeLeniently(path).replace(/^\/s\/[^/]+/, "/s/...");
}
