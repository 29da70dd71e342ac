/**
 * Serves one client of BARGE/1 (PROTOCOL.md), from hello to bye.
 *
 *   new -> greeted -> (challenged) -> logged in -> closed
 *
 * Requests are read, served and answered one after the other; only small uploads overlap (window.ts).
 * The connection ends when the client leaves, breaks the protocol, or stops moving bytes.
 */
import { BargeError } from "../../error.ts";
import { ReadAhead } from "./read_ahead.ts";
import { RateMeter } from "../../net/min_rate.ts";
import type { Stream } from "../../net/stream.ts";
import {
  type Body,
  encodeFrame,
  type FrameValue,
  maxFrame,
  maxFrameBeforeLogin,
} from "../../protocol/frame.ts";
import { failure } from "../../protocol/failure.ts";
import {
  parseBodyFrame,
  parseRequest,
  type Trailer,
  type Verb,
  verbOf,
} from "../../protocol/message.ts";
import { type Frame, FrameReader } from "../../protocol/reader.ts";
import { logName } from "../../login/log_name.ts";
import { type Challenge, lookUp } from "../../login/login.ts";
import type { Rate } from "../../watch/rate.ts";
import type { Presence } from "../../watch/roster.ts";
import type { Session } from "../../login/session.ts";
import type { Service } from "../../login/service.ts";
import { adviseOnRoom } from "../../session/room_hint.ts";
import { Access, outcomeOf } from "../access.ts";
import { ClientConnection } from "../client_connection.ts";
import { type Brake, brakeOf } from "../brake.ts";
import { explain, note } from "../failure.ts";
import { linger } from "../linger.ts";
import type { Conversation } from "../listen.ts";
import type { Context, Handle } from "./context.ts";
import { Output } from "./output.ts";
import { maxCheckMs, type Timeouts } from "./timeouts.ts";
import { Pauses } from "./pause.ts";
import { takeTurns } from "../../watch/fairness.ts";
import { verbs } from "./verbs.ts";
import { Window } from "./window.ts";

export class Connection extends ClientConnection implements Conversation, Context {
  readonly reader: FrameReader;
  readonly output: Output;
  readonly pauses: Pauses | undefined;
  greeted = false;
  challenge: Challenge | undefined;
  /** The account of the login that is under way, for the access log. */
  #loginName: string | null = null;
  readonly #presence: Presence;
  readonly #timeouts: Timeouts;
  readonly #ahead: ReadAhead;
  // These are made on first use, so that an idle connection takes less memory.
  #rates: Stream["rates"];
  #window: Window | undefined;
  #stopping = false;
  #busy = false;
  /** True when the client has ended its side; an incomplete request then gets no answer. */
  #clientEnded = false;

  constructor(store: Service, stream: Stream, presence: Presence, timeouts: Timeouts) {
    super(store, stream);
    this.#presence = presence;
    this.#timeouts = timeouts;
    this.#ahead = new ReadAhead(stream);
    this.output = new Output(stream, timeouts.request, () => this.#brake(store.rates.down));
    this.reader = new FrameReader({ read: (into) => this.#read(into) });
    this.reader.limit = maxFrameBeforeLogin;
    const { pause } = timeouts;
    this.pauses = pause && new Pauses(pause, stream, this.#ahead, (reason) => this.cut(reason));
    stream.onStall = () => {
      if (this.session && this.#busy) void this.pauses?.readAhead();
    };
  }

  get tlsBindings(): readonly string[] {
    const { tlsBinding } = this.stream;
    return tlsBinding === undefined ? this.store.settings.proxyBindings ?? [] : [tlsBinding];
  }

  async dropChallenge(): Promise<void> {
    const { challenge } = this;
    this.challenge = undefined;
    const ms = await challenge?.abandon();
    if (ms !== undefined) await this.pause(ms);
  }

  get window(): Window {
    return this.#window ??= new Window(this.store.uploads.maxPendingStores, (answer) => {
      this.output.queue(encodeFrame(answer));
      this.output.flushSoon();
    });
  }

  admit(session: Session): void {
    if (!this.logIn(session, (reason) => this.cut(reason))) {
      throw new BargeError("unavailable", "the account has too many connections", {
        op: "log in",
        hint: "try again later, or end some of the others",
      });
    }
    this.reader.limit = maxFrame;
    session.door = "native";
  }

  async pause(ms: number, done?: AbortSignal): Promise<void> {
    await this.output.flush();
    const { beforeLogin, idle } = this.#timeouts;
    this.stream.rates = undefined;
    this.stream.idleTimeoutMs = ms + (this.session ? idle : beforeLogin);
    const { signal } = this.ended;
    try {
      await this.#ahead.pause(ms, done ? AbortSignal.any([signal, done]) : signal);
    } catch (error) {
      if (done?.aborted && !signal.aborted) return;
      this.#clientEnded = true;
      throw error;
    }
  }

  async watched<T>(work: (gone: AbortSignal) => Promise<T>): Promise<T> {
    if (!this.store.hooks.check) return await work(this.ended.signal);
    const [gone, done] = [new AbortController(), new AbortController()];
    const watching = this.pause(maxCheckMs, done.signal).catch((why) => gone.abort(why));
    try {
      return await work(gone.signal);
    } finally {
      done.abort();
      await watching;
    }
  }

  /** Closes at once between two requests. During a request, closes when it and the window are answered. */
  leave(): void {
    this.#stopping = true;
    if (!this.#busy) void this.#depart();
  }

  async run(): Promise<void> {
    const { login } = this.#timeouts;
    const late = setTimeout(() => {
      if (!this.session) this.cut(new BargeError("unavailable", `no login in ${login / 1000} s`));
    }, login);
    try {
      await this.#serve();
    } catch (error) {
      note(error, this.stream.peer);
    } finally {
      clearTimeout(late);
      this.ended.abort();
      if (!this.#stopping) await this.challenge?.abandon();
      this.leaveAccount();
      await this.#window?.drain();
      this.reader[Symbol.dispose]();
      this.stream.close();
    }
  }

  async #serve(): Promise<void> {
    try {
      for (let count = 1; !this.#stopping; count++) {
        let frame: Frame | null;
        try {
          frame = await this.reader.frame();
        } catch (error) {
          if (outcomeOf(error) === "protocol") this.access(null, null).end("protocol");
          throw error;
        }
        if (!frame || this.#stopping || !await this.#request(frame)) break;
        // A buffer may hold thousands of requests that need no waiting.
        await takeTurns(count);
      }
    } catch (error) {
      // A malformed frame is answered once; the bytes after it are not read as frames.
      const answerable = error instanceof BargeError && error.kind === "protocol" &&
        !this.stream.closed;
      if (!answerable) throw error;
      await this.#window?.drain();
      this.output.queue(encodeFrame(failure(error)));
    }
    await this.#window?.drain();
    await this.output.flush();
    await linger(this.stream, this.#timeouts.linger);
  }

  /** Closes while the loop waits for a request. */
  async #depart(): Promise<void> {
    const reason = new BargeError("unavailable", "the server is stopping");
    try {
      await this.#window?.drain();
      await this.output.flush();
    } catch { /* the client is gone */ }
    this.stream.close(reason);
  }

  /** Sends all answers, since the client may wait for one of them, and reads. */
  async #read(into: Uint8Array): Promise<number | null> {
    await this.output.flush();
    const { beforeLogin, idle, request } = this.#timeouts;
    const between = !this.#busy && this.reader.idle;
    this.stream.idleTimeoutMs = !between ? request : this.session ? idle : beforeLogin;
    this.stream.renewRead();
    if (between) this.stream.rates = this.#rates = undefined;
    else this.#watchPace();
    const brake = this.#brake(this.store.rates.up);
    const n = await this.#ahead.read(brake ? into.subarray(0, brake.piece) : into);
    this.#clientEnded = n === null;
    if (n !== null) await brake?.hold(n);
    return n;
  }

  /** Enforces the minimum pace until the connection is idle again. */
  #watchPace(): void {
    const { floor } = this.#timeouts;
    this.stream.rates = this.#rates ??= { read: new RateMeter(floor), write: new RateMeter(floor) };
  }

  /** Returns the brake of the account's rate; undefined for full speed. */
  #brake(rate: Rate | undefined): Brake | undefined {
    return rate && brakeOf(rate, this.session?.id, this.ended.signal);
  }

  /** Serves one request. @returns false if it was the last one */
  async #request({ value, body }: Frame): Promise<boolean> {
    this.#busy = true;
    this.pauses?.begin();
    this.#watchPace();
    // The fields are not checked yet.
    const text = (field: string, maxLength: number) => {
      const content = value[field];
      return typeof content === "string" ? content.slice(0, maxLength) : undefined;
    };
    const path = text("path", 3000) ?? text("from", 3000);
    const access = this.access(text("verb", 40) ?? null, path ?? null, text("to", 3000));
    this.#presence.doing = access;
    try {
      return await this.#answer(value, body, access);
    } catch (error) {
      access.end(outcomeOf(error));
      throw error;
    } finally {
      this.#busy = false;
      this.#presence.doing = null;
      this.#presence.account = this.account;
    }
  }

  access(verb: string | null, path: string | null, to?: string): Access {
    const arrived = { door: "native", address: this.stream.peer, verb, path, to } as const;
    const access = new Access(arrived, this.store.metrics);
    access.account = isLogin(verb) ? this.#loginName : this.account;
    access.login = isLogin(verb);
    return access;
  }

  /** Returns the account that a login names, or that owns the named token. */
  async #logName({ account, mechanism }: FrameValue): Promise<string | null> {
    const name = String(account);
    if (mechanism !== "token") return await logName(this.store, name);
    return (await lookUp(this.store, "token", name))?.account.name ?? null;
  }

  async #answer(value: FrameValue, body: Body, access: Access): Promise<boolean> {
    let unread = body !== undefined;
    try {
      if (access.verb === "auth" || access.verb === "register") {
        this.#loginName = typeof value.account === "string" ? await this.#logName(value) : null;
        access.account = this.#loginName;
      }
      if (!this.greeted && value.verb !== "hello") {
        throw new BargeError("protocol", "the first request must be hello");
      }
      const op = verbOf(value);
      const verb = verbs[op];
      // Before a login, the fields of a request that needs a login are not parsed.
      if (verb.login !== false && !this.session) {
        throw new BargeError("unauthenticated", "log in first", { op });
      }
      const request = parseRequest(value);
      if (unread && !verb.body) throw new BargeError("protocol", "this verb takes no body");
      if (!verb.overlaps) await this.#window?.drain();
      // The table has the handler of each verb's request, and the login is checked.
      const handle = verb.handle as Handle<Context, Verb>;
      const answer = await handle(this, request, { body, access, taken: () => unread = false });
      if (answer) this.output.queue(encodeFrame({ ok: true, ...answer }));
      if (this.output.full) await this.output.flush();
      if (request.verb === "proof") access.account = this.account;
      if (request.verb === "register") access.account = request.account;
      if (!access.pending) access.end("ok");
      return request.verb !== "bye";
    } catch (error) {
      if (this.stream.closed || this.#clientEnded) throw error;
      const { verb, path } = access;
      const explained = explain(error, { op: verb ?? undefined, path: path ?? undefined });
      const [failed] = await adviseOnRoom(this.session, explained);
      access.end(failed.kind);
      await this.#window?.drain();
      this.output.queue(encodeFrame(failure(failed)));
      if (failed.kind === "protocol") return false;
      if (unread) {
        await this.reader.skip();
        await this.trailer();
      }
      return true;
    }
  }

  async trailer(): Promise<Trailer> {
    const frame = await this.reader.frame();
    if (!frame) throw new BargeError("unavailable", "the connection was cut");
    if (frame.body !== undefined) throw new BargeError("protocol", "a trailer has no body");
    return parseBodyFrame("trailer", frame.value);
  }
}

/** Returns whether a request proves a password or a token. */
function isLogin(verb: string | null): boolean {
  return verb === "proof" || verb === "set-totp";
}
