/**
 * One client's control connection, from the greeting to the goodbye.
 *
 *   (implicit TLS) -> greeted -> (AUTH: TLS) -> (USER, PASS: logged in) -> closed
 *
 * Commands are carried out one after the other, in the order in which they came. While one of those
 * runs that take their time, the connection is read on: ABOR, NOOP, STAT and QUIT are answered at once
 * (RFC 959, section 4.1.3), others wait in a bounded queue, and a client that is gone ends the
 * transfer. The door decides nothing: it calls the session, and answers with what that returns or
 * throws.
 *
 * Invariants: at most one line is being read; nothing is read while AUTH TLS takes over, and nothing
 * that was read in the clear is carried out after it; each wait has a deadline.
 */
import { getLogger } from "@logtape/logtape";
import { BargeError, type Kind } from "../../error.ts";
import type { ServerIdentity } from "../../net/accept_tls.ts";
import { Sessions } from "../../net/session_resumption.ts";
import type { TlsPipe } from "../../net/tls_pipe.ts";
import { parseAddress } from "../../net/address.ts";
import type { Pipe, Stream } from "../../net/stream.ts";
import { delay } from "../../net/delay.ts";
import type { Presence } from "../../watch/roster.ts";
import type { Session } from "../../login/session.ts";
import type { Store } from "../../local/store.ts";
import type { Tickets } from "../../login/tls_tickets.ts";
import { Access, outcomeOf } from "../access.ts";
import type { DoorSpec } from "../door.ts";
import { explain, note } from "../failure.ts";
import type { Conversation } from "../listen.ts";
import { plainAddress } from "./address.ts";
import { type Asked, asked, commandFor } from "./command.ts";
import { DataPort } from "./data.ts";
import type { Line } from "./line.ts";
import { LineReader } from "./lines.ts";
import { locate } from "./locate.ts";
import type { Patience } from "./patience.ts";
import type { Connection } from "./row.ts";
import { encodeReply, Failed, type Reply, reply, replyTo } from "./reply.ts";
import { freshState, type State } from "./state.ts";

const log = getLogger(["barge", "ftp"]);
/** So many commands may wait for the one that runs. */
const mostQueued = 32;

/** What all connections of a door have in common. */
export interface Host {
  readonly store: Store;
  readonly spec: DoorSpec;
  readonly patience: Patience;
  /** The certificate, as it is now. */
  readonly shown: () => ServerIdentity | undefined;
  /** The TLS sessions of all connections. */
  readonly tickets: Tickets;
}

/** A read that has ended: a line, the end, or why it failed. */
type Got = { readonly line: Line | null } | { readonly failed: unknown };

export class Control implements Connection, Conversation {
  readonly store: Store;
  readonly stream: Stream;
  readonly spec: DoorSpec;
  readonly patience: Patience;
  readonly shown: () => ServerIdentity | undefined;
  /** The client's numeric address, without the port. */
  readonly host: string;
  /** Which of ours it has reached. */
  readonly local: string;
  readonly data: DataPort;
  state: State = freshState();
  tls: TlsPipe | undefined;
  session: Session | undefined;
  /** Who is logged in, or is to be: for the access log. */
  account: string | null = null;
  /** Aborted when the connection ends, for whatever reason. */
  readonly ended = new AbortController();
  /** Ends the transfer that runs, if one does. */
  transfer: AbortController | undefined;
  /** Has an ABOR ended one, and not been answered yet? */
  aborted = false;
  /** Is this the last command? */
  quitting = false;
  #leaveAccount: () => void = () => {};
  /** Called when a line arrives while a command runs. */
  #heard: () => void = () => {};
  /** The TLS sessions of this connection, which its data connections have to resume. */
  readonly #sessions: Sessions;
  readonly #presence: Presence;
  readonly #lines: LineReader;
  #got: Promise<Got> | undefined;
  #queue: Line[] = [];
  #over = false;
  #leaving = false;
  #waiting = false;
  #writing: Promise<void> = Promise.resolve();
  readonly #loginBy: number;

  /**
   * @param stream taken over: it is closed when {@link run} ends
   * @param presence kept up to date
   * @param local our own address
   */
  constructor(
    { store, spec, patience, shown, tickets }: Host,
    stream: Stream,
    presence: Presence,
    local: string,
  ) {
    this.#presence = presence;
    this.store = store;
    this.#sessions = new Sessions(tickets);
    this.spec = spec;
    this.patience = patience;
    this.shown = shown;
    this.stream = stream;
    this.host = plainAddress(parseAddress(stream.peer).host);
    this.local = plainAddress(local);
    this.#lines = new LineReader(stream, (bytes) => this.#write(bytes));
    this.#loginBy = performance.now() + patience.login;
    // Who begins with TLS means it for data, too, also where PROT P is left unsaid.
    this.state.protect = spec.name === "ftps";
    this.data = new DataPort({
      host: spec.address.host,
      spec: spec.ftp!,
      peer: this.host,
      patience,
      sessions: this.#sessions,
      gate: store.gate,
      proxies: spec,
    });
  }

  /** Serves the client until it is gone. Never throws. */
  async run(): Promise<void> {
    try {
      if (this.spec.name === "ftps") await this.#secure();
      await this.say(reply(220, "barge: hello"));
      await this.#serve();
      await this.#linger();
    } catch (error) {
      note(error, this.stream.peer);
    } finally {
      this.ended.abort(new BargeError("unavailable", "the connection has ended"));
      this.data.close();
      this.#leaveAccount();
      this.stream.close();
      await this.#got;
    }
  }

  leave(): void {
    this.#leaving = true;
    if (this.#waiting) void this.#dismiss("the server is stopping");
  }

  cut(reason: BargeError): void {
    this.transfer?.abort(reason);
    this.stream.close(reason);
    this.ended.abort(reason);
  }

  /** Sends a reply behind those before it. @throws {BargeError} `unavailable` */
  async say(answer: Reply): Promise<void> {
    await this.#write(encodeReply(answer));
  }

  /**
   * Makes the session this connection's, or with undefined nobody's.
   *
   * @returns false when its account has too many connections
   */
  admit(session: Session | undefined): boolean {
    const leave = session && this.store.gate.login(session.id);
    if (session && !leave) return false;
    this.#leaveAccount();
    const forget = session && this.store.live.enter(session, (reason) => this.#expel(reason));
    this.#leaveAccount = () => {
      forget?.();
      leave?.();
    };
    this.#sessions.login(session?.id);
    this.session = session;
    return true;
  }

  /**
   * Waits until the client is known to live, in the midst of a transfer: until it has sent one more
   * line, or has kept its connection open for that time in ms.
   *
   * @throws {BargeError} the reason why the transfer was aborted, as when the client has gone
   */
  async lives(ms: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { signal } = this.transfer!;
    const gone = () => reject(signal.reason);
    const timer = setTimeout(resolve, ms);
    this.#heard = resolve;
    signal.addEventListener("abort", gone);
    try {
      if (signal.aborted) gone();
      await promise;
    } finally {
      clearTimeout(timer);
      this.#heard = () => {};
      signal.removeEventListener("abort", gone);
    }
  }

  /** Waits before a failed login is told. @throws {BargeError} when the client is gone before */
  async pause(ms: number): Promise<void> {
    await delay(ms, this.ended.signal);
  }

  /**
   * Goes on with TLS; what has come in the clear behind the command is forgotten.
   *
   * @param answer sent before
   */
  async secure(answer: Reply): Promise<void> {
    this.#queue = [];
    this.#lines.discard();
    await this.say(answer);
    await this.#secure();
  }

  async #secure(): Promise<void> {
    const shown = this.shown();
    if (!shown) throw new RangeError("a door with TLS has no certificate");
    const { handshake } = this.patience;
    try {
      const shake = (below: Pipe) => this.#sessions.begin(below, shown);
      this.tls = await this.stream.upgrade(shake, handshake);
    } catch (error) {
      log.debug("no TLS with {peer}: {why}", { peer: this.stream.peer, why: `${error}` });
      throw error;
    }
  }

  async #serve(): Promise<void> {
    while (!this.quitting) {
      if (this.#leaving) return await this.#dismiss("the server is stopping");
      const line = this.#queue.shift() ?? await this.#next();
      if (!line) return;
      await this.#execute(line);
    }
  }

  /** The next line, within the client's time; null when it is gone. */
  async #next(): Promise<Line | null> {
    const { stranger, idle } = this.patience;
    const left = this.#loginBy - performance.now();
    const ms = this.session ? idle : Math.max(0, Math.min(stranger, left));
    const late = setTimeout(() => void this.#dismiss("you were silent for too long"), ms);
    this.#waiting = true;
    try {
      const got = await this.#take();
      if ("failed" in got) throw got.failed;
      return got.line;
    } finally {
      this.#waiting = false;
      clearTimeout(late);
    }
  }

  #peek(): Promise<Got> {
    return this.#got ??= this.#lines.next().then((line) => ({ line }), (failed) => ({ failed }));
  }

  async #take(): Promise<Got> {
    const got = await this.#peek();
    this.#got = undefined;
    return got;
  }

  async #execute(line: Line): Promise<void> {
    const command = asked(line);
    const { verb, argument } = command;
    const access = this.#access(command);
    const record = (outcome: "ok" | Kind) => {
      if (!command.row || access.verb) access.end(outcome);
    };
    if (command.row?.does) this.#presence.doing = access;
    try {
      const { slow, run } = await commandFor(this, command);
      const work = run(argument, access);
      const answer = await (slow ? this.#watch(work) : work);
      record("ok");
      if (answer) await this.say(answer);
    } catch (error) {
      if (this.stream.closed) {
        record(outcomeOf(error));
        throw error;
      }
      const path = command.row?.path && argument ? this.path(argument) : undefined;
      const failed = explain(error, { op: verb.slice(0, 40).toLowerCase(), path });
      record(failed.kind);
      await this.say(replyTo(failed, failed instanceof Failed ? failed.code : undefined));
    } finally {
      if (this.#presence.doing === access) this.#presence.doing = null;
      this.#presence.account = this.session ? this.account : null;
    }
  }

  #access({ row, argument }: Asked): Access {
    const verb = row?.does ?? null;
    const path = row?.path ? this.path(argument) : null;
    const to = verb === "move" ? { path: this.state.renameFrom ?? null, to: path! } : { path };
    const arrived = { door: this.spec.name, address: this.stream.peer, verb, ...to };
    const access = new Access(arrived, this.store.metrics);
    access.account = this.account;
    access.login = verb === "login";
    return access;
  }

  /** Returns the absolute path that a command's argument means. */
  path(argument: string): string {
    return locate(this.session, this.state.folder, argument);
  }

  /** Reads on while a command runs. */
  async #watch<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const ended = work.then(() => void (done = true), () => void (done = true));
    try {
      while (!this.#over) {
        await Promise.race([ended, this.#peek()]);
        if (done) break;
        const got = await this.#peek();
        const line = "line" in got ? got.line : null;
        if (line && this.#queue.length >= mostQueued) break;
        this.#got = undefined;
        if (line) await this.#meanwhile(line);
        else this.#lost(got);
      }
    } catch (error) {
      this.transfer?.abort(error);
      throw error;
    } finally {
      await ended;
    }
    return await work;
  }

  /** A line that comes while a command runs. */
  async #meanwhile(line: Line): Promise<void> {
    this.#heard();
    const { verb, argument } = asked(line);
    if (verb === "ABOR" && this.transfer) {
      this.aborted = true;
      this.#queue.unshift(line);
      // lftp mistakes a 426 with the word ABOR in it for the reply to ABOR, and is one reply ahead
      // then.
      this.transfer.abort(new BargeError("interrupted", "the transfer was aborted"));
    } else if (this.#queue.length > 0 || !this.transfer) {
      this.#queue.push(line);
    } else if (verb === "NOOP" || verb === "STAT" && argument === "") {
      await this.#execute(line);
    } else if (verb === "QUIT") {
      // RFC 959: the connection stays until the transfer's result was told.
      await this.#execute(line);
    } else {
      this.#queue.push(line);
    }
  }

  /** The client is gone, or has ended its side: a transfer that it does not mean to wait for ends. */
  #lost(got: Got): void {
    this.#over = true;
    const quits = this.quitting || this.#queue.some((line) => asked(line).verb === "QUIT");
    if (!("failed" in got) && quits) return;
    const reason = new BargeError("unavailable", "the client has left");
    this.transfer?.abort(reason);
    if (!this.transfer) this.ended.abort(reason);
  }

  /** Ends the connection of a client that may not go on, and its transfer. */
  #expel(reason: BargeError): void {
    if (this.#waiting) void this.#dismiss(reason.message);
    else this.cut(reason);
  }

  /** Tells it why, and lets it go. */
  async #dismiss(why: string): Promise<void> {
    const reason = new BargeError("unavailable", why);
    try {
      await this.say(reply(421, `${why}; goodbye`));
      await this.stream.end(this.patience.answer);
    } catch { /* it is gone already */ }
    this.stream.close(reason);
  }

  /** Ends our side and reads away theirs: closing on unread bytes would take the last reply back. */
  async #linger(): Promise<void> {
    if (this.stream.closed) return;
    await this.#writing;
    await this.stream.end(this.patience.answer);
    const cut = setTimeout(() => this.stream.close(), this.patience.linger);
    try {
      while (!this.#over) {
        const got = await this.#take();
        this.#over = "failed" in got || got.line === null;
      }
    } finally {
      clearTimeout(cut);
    }
  }

  #write(bytes: Uint8Array): Promise<void> {
    const writing = this.#writing.then(() => this.stream.write(bytes, this.patience.answer));
    this.#writing = writing.catch(() => {/* who wrote is told */});
    return writing;
  }
}
