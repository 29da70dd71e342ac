/**
 * One request and its answer: what every module of the door works with, as the `env` of its handlers.
 *
 *   arrived -> (logged in) -> answered -> over
 *                         \-> cut          the client left, was too slow, or the server stops
 *
 * Invariants: `ended` is aborted when it is over, for whatever reason; a place at the account's gate
 * is given back then; the access log has one record of it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { BargeError } from "../../error.ts";
import { wait } from "../../net/wait.ts";
import type { Presence } from "../../watch/roster.ts";
import type { Session } from "../../login/session.ts";
import type { Store } from "../../local/store.ts";
import { Access } from "../access.ts";
import { brakeOf } from "../brake.ts";
import { Body } from "./body.ts";
import type { Front } from "./front.ts";
import { type Target, withoutPrefix } from "./path.ts";
import { crowded } from "./refuse.ts";
import { type Patience, Vigil } from "./watchdog.ts";

/** Finds the login that a request comes with; see auth.ts. */
export interface Logins {
  /**
   * Admits the session of a request that has credentials.
   *
   * @throws {BargeError} `unauthenticated` for a login that is not accepted, `unavailable`, `denied`
   *   for a request that another site has made the browser send
   */
  identify(exchange: Exchange): Promise<void>;
}

/** What the exchanges of a door share. */
export interface Doorway {
  readonly store: Store;
  readonly scheme: "http" | "https";
  /** The proxies before it, and the URL that clients know. */
  readonly front: Front;
  readonly logins: Logins;
  readonly patience: Patience;
  /** Does it take no more requests? */
  stopping: boolean;
  /** Aborted when the request is cut, because the server stops. */
  readonly cut: AbortController;
}

/** A body that is longer than a Response should hold; see `Exchange.send`. */
export type Source = AsyncGenerator<Uint8Array, void, void>;

/** For Hono: `new Hono<HttpEnv>()`; a handler finds its exchange in `c.env`. */
export interface HttpEnv {
  Bindings: Exchange;
}

export class Exchange implements Disposable {
  readonly door: Doorway;
  readonly store: Store;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** The client's numeric address, without the port. */
  readonly host: string;
  /** Is TLS spoken with the client? Then its cookies are for TLS alone. */
  readonly secure: boolean;
  readonly method: string;
  #body: Body | undefined;
  /** Aborted when it is over. */
  readonly ended = new AbortController();
  /**
   * What the access log and the metrics are to say of it: the verb is barge's own where it has one
   * (`get`, `put`), and a path that holds a secret is to be replaced here.
   */
  readonly asked: { door: "http"; address: string; verb: string; path: string; to?: string };
  readonly access: Access;
  /** Who is logged in; see auth.ts. */
  session: Session | undefined;
  /** What the access log is to say of its end. */
  failed: BargeError | undefined;
  readonly #vigil: Vigil;
  #target: Target | undefined;
  #source: Source | Uint8Array | undefined;
  readonly #presence: Presence | undefined;
  readonly #goOn: (() => void) | undefined;
  #leaveAccount = () => {};
  /** Has the client a place at the gate? One behind a proxy takes it with the request. */
  #placed = true;
  #leaveAddress = () => {};
  /** True if the client has ended its side in the middle of the body. */
  #short = false;
  #endLinger = () => {};

  /**
   * @param presence the connection's, kept up to date
   * @param goOn says `100 Continue`, to a client that waits for it
   */
  constructor(
    door: Doorway,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    presence: Presence | undefined,
    goOn: (() => void) | undefined,
  ) {
    const { front } = door;
    const { host, address, proxied, secure } = front.clientOf(incoming);
    this.door = door;
    this.store = door.store;
    this.incoming = incoming;
    this.outgoing = outgoing;
    this.host = host;
    this.secure = secure;
    this.method = incoming.method ?? "";
    this.asked = {
      door: "http",
      address,
      verb: this.method,
      path: logged(incoming.url ?? "", front.prefix),
    };
    this.access = new Access(this.asked, door.store.metrics);
    this.#presence = presence;
    if (presence) presence.doing = this.access;
    // A proxy sends requests of many clients on one connection.
    if (presence && proxied) Object.assign(presence, { address, account: null });
    if (proxied) this.#placed = false;
    // An interim answer may come at any time before the final one (RFC 9110, section 15.2).
    const nudge = door.scheme === "https" && incoming.httpVersion === "1.1"
      ? () => void (outgoing.headersSent || outgoing.writeContinue())
      : undefined;
    this.#vigil = new Vigil(door.patience, (reason) => this.cut(reason), nudge);
    outgoing.once("close", this.#closed);
    // Whoever reads or writes is told in other ways; without these, the program would end.
    incoming.on("error", () => {});
    outgoing.on("error", () => {});
    this.#goOn = goOn;
  }

  /** What comes behind the head. @throws {Refusal} 413 for more than a file can have */
  get body(): Body {
    return this.#body ??= new Body({
      incoming: this.incoming,
      vigil: this.#vigil,
      goOn: this.#goOn,
      brake: () => brakeOf(this.store.rates.up, this.session?.id, this.ended.signal),
      isShort: () => this.#short,
      onShort: () => this.leave(),
      onBytes: (bytes) => this.access.bytes += bytes,
    });
  }

  /** Is there no telling what comes behind this request? Then the connection ends with its answer. */
  get last(): boolean {
    return this.door.stopping || this.holds || this.failed?.kind === "protocol";
  }

  /** Does the client wait with the body until it is told to go on? */
  get holds(): boolean {
    return this.#goOn !== undefined && !this.#body?.begun;
  }

  /** The URL's path, still encoded, and its query; set before any handler runs. */
  get target(): Target {
    if (!this.#target) throw new TypeError("the target is not parsed yet");
    return this.#target;
  }

  set target(target: Target) {
    this.#target = target;
  }

  /** A header of the request; several of one name are one, with commas. */
  header(name: string): string | undefined {
    const value = this.incoming.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  /** The start of the server's own URLs, as the client writes them: scheme, host and prefix. */
  get base(): string {
    const { publicUrl } = this.door.front;
    if (publicUrl) return publicUrl.origin + publicUrl.prefix;
    return `${this.secure ? "https" : "http"}://${this.header("host") ?? "localhost"}`;
  }

  /**
   * Takes a place at the gate for the client's address, where its connection has none.
   *
   * @throws {BargeError} `unavailable` when that address has too many requests under way
   */
  enter(): void {
    if (this.#placed) return;
    const leave = this.store.gate.visit(this.host);
    if (!leave) throw crowded;
    this.#placed = true;
    this.#leaveAddress = leave;
  }

  /**
   * Makes the session this exchange's.
   *
   * @throws {BargeError} `unavailable` when its account has too many under way
   */
  admit(session: Session): void {
    const leave = this.store.gate.login(session.id);
    if (!leave) {
      throw new BargeError("unavailable", "the account has too many requests under way", {
        op: "log in",
        hint: "try again later, or end some of the others",
      });
    }
    this.#leaveAccount();
    const forget = this.store.live.enter(session, (reason) => this.cut(reason));
    this.#leaveAccount = () => {
      forget();
      leave();
    };
    this.session = session;
    this.access.account = session.name;
    if (this.#presence) this.#presence.account = session.name;
  }

  /**
   * Makes a share link's session this exchange's: its visitors take no place of the account, and are
   * cut off when the link is revoked.
   */
  visit(session: Session): AuthenticatedExchange {
    this.#leaveAccount();
    this.#leaveAccount = this.store.live.enter(session, (reason) => this.cut(reason));
    return Object.assign(this, { session });
  }

  /** Waits before a failed login is told; less, when the client leaves. */
  async pause(ms: number): Promise<void> {
    await wait(ms, this.ended.signal);
  }

  /**
   * Has a long body sent with a Response that has none: `return c.env.send(source, headers)`. It is
   * asked for one piece at a time, and a piece has to stay as it is until the next one is asked for.
   *
   * @param source ended early when the client leaves, which lets it close what it reads from; or
   *   all of a file, at once
   */
  send(source: Source | Uint8Array, init: ResponseInit): Response {
    this.#source = source;
    return new Response(null, init);
  }

  /** What `send` was given, once. */
  takeSource(): Source | Uint8Array | undefined {
    const source = this.#source;
    this.#source = undefined;
    return source;
  }

  /**
   * Writes a piece of the answer, and waits until the system has it: the piece may change then.
   *
   * @throws {BargeError} `unavailable` when the client has left, or takes nothing
   */
  async write(piece: Uint8Array): Promise<void> {
    const brake = brakeOf(this.store.rates.down, this.session?.id, this.ended.signal);
    const step = brake?.piece ?? piece.length;
    for (let at = 0; at < piece.length; at += step) {
      const part = at === 0 && step >= piece.length ? piece : piece.subarray(at, at + step);
      await brake?.hold(part.length);
      await this.#wrote(part.length, (done) => this.outgoing.write(part, done));
    }
  }

  /** Ends the answer, with its last piece. @throws as {@link write} */
  async end(piece?: Uint8Array): Promise<void> {
    if (piece) {
      await brakeOf(this.store.rates.down, this.session?.id, this.ended.signal)?.hold(piece.length);
    }
    await this.#wrote(piece?.length ?? 0, (done) => {
      if (piece) this.outgoing.end(piece, () => done());
      else this.outgoing.end(() => done());
    });
  }

  /** Cuts the connection, whatever is under way. */
  cut(reason: BargeError): void {
    this.ended.abort(reason);
    this.#body?.break(reason);
    this.incoming.socket.destroy();
  }

  /**
   * Notes that the client has ended its side in the middle of the body. The request is cut once the
   * bytes that have arrived are read.
   */
  cutShort(): void {
    this.#short = true;
    this.#body?.shortened();
    this.#endLinger();
  }

  /** The connection is gone, whatever it looked like before. */
  leave(): void {
    this.cut(gone);
  }

  /**
   * Reads away what the client still sends of a body that nobody wants, so that it gets to see the
   * answer; cuts it when that takes too long.
   */
  async linger(): Promise<void> {
    const { incoming } = this;
    if (incoming.complete || incoming.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cut = setTimeout(() => incoming.socket.destroy(), this.door.patience.linger);
    for (const event of ["end", "close", "error"]) incoming.once(event, resolve);
    this.ended.signal.addEventListener("abort", () => resolve(), { once: true });
    this.#endLinger = resolve;
    if (this.#short) resolve();
    incoming.resume();
    await promise;
    clearTimeout(cut);
    if (this.#short) incoming.socket.destroy();
  }

  [Symbol.dispose](): void {
    this.outgoing.off("close", this.#closed);
    this.#leaveAccount();
    this.#leaveAddress();
    if (this.#presence?.doing === this.access) this.#presence.doing = null;
    this.#vigil[Symbol.dispose]();
    this.ended.abort(over);
  }

  readonly #closed = () => {
    if (!this.outgoing.writableFinished) this.ended.abort(gone);
  };

  async #wrote(bytes: number, write: (done: (error?: unknown) => void) => void): Promise<void> {
    const { signal } = this.ended;
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    try {
      write((error) => error ? reject(gone) : resolve());
      await this.#vigil.wait("write", bytes, promise);
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

const over = new BargeError("unavailable", "the request is over");
const gone = new BargeError("unavailable", "the client is gone");

/** A URL's path for the access log: readable where it can be, without its query, or a link's token. */
function logged(url: string, prefix: string): string {
  const whole = url.split("?", 1)[0].replace(/^https?:\/\/[^/]*/i, "");
  const path = withoutPrefix(whole, prefix) ?? whole;
  return readable(path).replace(/^\/s\/[^/]+/, "/s/...");
}

function readable(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
