/**
 * Serves the control connection of one client.
 *
 *   (implicit TLS) -> greeted -> (AUTH: TLS) -> (USER, PASS: logged in) -> closed
 *
 * Commands run one after the other, in the order of their arrival. While a slow one runs, the
 * connection is read: ABOR, NOOP, STAT and QUIT are answered at once (RFC 959, section 4.1.3), other
 * commands wait in a bounded queue, and the transfer ends when the client leaves.
 *
 * Invariants: at most one read is under way, and none during the handshake of AUTH TLS; no command that
 * was read unencrypted runs after it; each wait has a deadline.
 */
import { posix } from "node:path";
import { getLogger } from "@logtape/logtape";
import { BargeError, type Kind } from "../../error.ts";
import { Sessions } from "../../net/session_resumption.ts";
import type { ServerIdentity } from "../../net/accept_tls.ts";
import type { TlsPipe } from "../../net/tls_pipe.ts";
import type { Pipe, Stream } from "../../net/stream.ts";
import { bareAddress } from "../../net/address.ts";
import { delay } from "../../net/delay.ts";
import type { Presence } from "../../watch/roster.ts";
import type { Session } from "../../login/session.ts";
import type { Service } from "../../login/service.ts";
import { Access, outcomeOf } from "../access.ts";
import { ClientConnection } from "../client_connection.ts";
import { explain, note } from "../failure.ts";
import type { Conversation } from "../listen.ts";
import { parseCommand, runCommand } from "./command.ts";
import { DataPort } from "./data_port.ts";
import type { Line } from "./line_parser.ts";
import { LineReader } from "./line_reader.ts";
import { pathExists } from "./locate.ts";
import { intendedPath } from "./name.ts";
import type { Host } from "./host.ts";
import type { Connection, Row } from "./row.ts";
import { encodeReply, Failed, type Reply, reply, replyTo } from "./reply.ts";
import { freshState, type State } from "./state.ts";

const log = getLogger(["barge", "ftp"]);
/** The most commands that may wait for the running one. */
const maxQueuedCommands = 32;

/** The outcome of a read: a line, or null for the end or a failure. */
type ReadResult = { readonly line: Line | null; readonly failed?: unknown };

export class Control extends ClientConnection implements Connection, Conversation {
  readonly door: Host;
  readonly local: string;
  readonly data: DataPort;
  state: State = freshState();
  tls: TlsPipe | undefined;
  identity: ServerIdentity | undefined;
  transfer: AbortController | undefined;
  aborted = false;
  quitting = false;
  /** Called when a line arrives while a command runs. */
  #onLine: () => void = () => {};
  /** The TLS sessions that this connection's data connections must resume. */
  readonly #tlsSessions: Sessions;
  readonly #presence: Presence;
  readonly #lines: LineReader;
  #reading: Promise<ReadResult> | undefined;
  #queue: Line[] = [];
  /** True when the client has ended its side, or the connection broke. */
  #clientEnded = false;
  /** True when the server stops. */
  #stopping = false;
  /** True between commands. */
  #idle = false;
  #writing: Promise<void> = Promise.resolve();
  readonly #loginBy: number;

  /** @param local the server's address that the client has connected to */
  constructor(door: Host, store: Service, stream: Stream, presence: Presence, local: string) {
    super(store, stream);
    this.door = door;
    this.#presence = presence;
    this.local = bareAddress(local);
    this.#tlsSessions = new Sessions(door.tickets);
    this.#lines = new LineReader(stream, (bytes) => this.#write(bytes));
    this.#loginBy = performance.now() + door.timeouts.login;
    // Implicit TLS also covers data connections without PROT P.
    this.state.protect = door.spec.name === "ftps";
    this.data = new DataPort(door, store.gate, this.host, this.#tlsSessions);
  }

  async run(): Promise<void> {
    try {
      if (this.door.spec.name === "ftps") await this.#secure();
      await this.answer(reply(220, "barge: hello"));
      await this.#serve();
      await this.#linger();
    } catch (error) {
      note(error, this.stream.peer);
    } finally {
      this.ended.abort(new BargeError("unavailable", "the connection has ended"));
      this.data.close();
      this.leaveAccount();
      this.stream.close();
      await this.#reading;
    }
  }

  leave(): void {
    this.#stopping = true;
    if (this.#idle) void this.#dismiss("the server is stopping");
  }

  override cut(reason: BargeError): void {
    this.transfer?.abort(reason);
    super.cut(reason);
  }

  async answer(message: Reply): Promise<void> {
    await this.#write(encodeReply(message));
  }

  setSession(session: Session | undefined): boolean {
    if (session && !this.logIn(session, (reason) => this.#expel(reason))) return false;
    if (!session) this.leaveAccount();
    this.session = session;
    this.#tlsSessions.login(session?.id);
    this.session = session;
    return true;
  }

  async confirmAlive(ms: number): Promise<void> {
    const done = new AbortController();
    this.#onLine = () => done.abort();
    const { signal } = this.transfer!;
    try {
      await delay(ms, AbortSignal.any([signal, done.signal]));
    } catch {
      signal.throwIfAborted();
    } finally {
      this.#onLine = () => {};
    }
  }

  async secure(answer: Reply): Promise<void> {
    this.#queue = [];
    this.#lines.discard();
    await this.answer(answer);
    await this.#secure();
  }

  async #secure(): Promise<void> {
    try {
      const identity = this.identity = this.door.certificate()!;
      const isImplicit = this.door.spec.name === "ftps";
      const shake = (below: Pipe) => this.#tlsSessions.begin(below, identity, isImplicit);
      this.tls = await this.stream.upgrade(shake, this.door.timeouts.handshake);
    } catch (error) {
      log.debug("no TLS with {peer}: {why}", { peer: this.stream.peer, why: `${error}` });
      throw error;
    }
  }

  async #serve(): Promise<void> {
    while (!this.quitting) {
      if (this.#stopping) return await this.#dismiss("the server is stopping");
      const line = this.#queue.shift() ?? await this.#next();
      if (!line) return;
      await this.#execute(line);
    }
  }

  /** Returns the next line; null when the client has ended its side. */
  async #next(): Promise<Line | null> {
    const { beforeLogin, idle } = this.door.timeouts;
    const left = this.#loginBy - performance.now();
    const ms = this.session ? idle : Math.max(0, Math.min(beforeLogin, left));
    const timer = setTimeout(() => void this.#dismiss("no command came in time"), ms);
    this.#idle = true;
    try {
      const { line, failed } = await this.#take();
      if (failed) throw failed;
      return line;
    } finally {
      this.#idle = false;
      clearTimeout(timer);
    }
  }

  /** Returns the outcome of the current read, and begins a read if there is none. */
  #peek(): Promise<ReadResult> {
    return this.#reading ??= this.#lines.next().then(
      (line) => ({ line }),
      (failed) => ({ line: null, failed }),
    );
  }

  /** Returns the outcome of the current read, like {@link #peek}; the next call begins another read. */
  async #take(): Promise<ReadResult> {
    const got = await this.#peek();
    this.#reading = undefined;
    return got;
  }

  async #execute(line: Line): Promise<void> {
    const command = parseCommand(line);
    const { verb, argument, row } = command;
    const path = row?.path ? await this.path(argument) : "";
    const access = this.#access(row, path);
    const record = (outcome: "ok" | Kind) => {
      if (!row || access.verb) access.end(outcome);
    };
    if (row?.logVerb) this.#presence.doing = access;
    try {
      const work = runCommand(this, command, { argument, path, access });
      const answer = await (row?.slow ? this.#watch(work) : work);
      record("ok");
      if (answer) await this.answer(answer);
    } catch (error) {
      if (this.stream.closed) {
        record(outcomeOf(error));
        throw error;
      }
      const op = verb.slice(0, 40).toLowerCase();
      const failed = explain(error, { op, path: argument && path ? path : undefined });
      record(failed.kind);
      await this.answer(replyTo(failed, failed instanceof Failed ? failed.code : undefined));
    } finally {
      if (this.#presence.doing === access) this.#presence.doing = null;
      this.#presence.account = this.session ? this.account : null;
    }
  }

  #access(row: Row | undefined, path: string): Access {
    const verb = row?.logVerb ?? null;
    const paths = verb === "move"
      ? { path: this.state.renameFrom ?? null, to: path }
      : { path: path || null };
    const arrived = { door: this.door.spec.name, address: this.stream.peer, verb, ...paths };
    const access = new Access(arrived, this.store.metrics);
    access.account = this.account;
    access.login = verb === "login";
    return access;
  }

  async path(argument: string): Promise<string> {
    const path = posix.resolve(this.state.folder, argument);
    const { session } = this;
    // Before the login nothing is looked up.
    return session ? await intendedPath(path, (path) => pathExists(session, path)) : path;
  }

  /** Reads the connection while a slow command runs. */
  async #watch<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const ended = work.then(() => void (done = true), () => void (done = true));
    try {
      while (!this.#clientEnded) {
        await Promise.race([ended, this.#peek()]);
        if (done) break;
        const { line, failed } = await this.#peek();
        if (line && this.#queue.length >= maxQueuedCommands) break;
        this.#reading = undefined;
        if (line) await this.#whileRunning(line);
        else this.#onEnd(failed);
      }
    } catch (error) {
      this.transfer?.abort(error);
      throw error;
    } finally {
      await ended;
    }
    return await work;
  }

  /** Answers or queues a line that arrives while a slow command runs. */
  async #whileRunning(line: Line): Promise<void> {
    this.#onLine();
    const { verb, argument } = parseCommand(line);
    if (verb === "ABOR" && this.transfer) {
      this.aborted = true;
      this.#queue.unshift(line);
      // The message must not contain ABOR: lftp takes such a 426 for the reply to ABOR, and then
      // counts one reply too many.
      this.transfer.abort(new BargeError("interrupted", "the transfer was aborted"));
      return;
    }
    // RFC 959: after QUIT the connection stays open until the transfer's reply.
    const immediate = verb === "NOOP" || verb === "QUIT" || verb === "STAT" && argument === "";
    if (immediate && this.transfer && this.#queue.length === 0) await this.#execute(line);
    else this.#queue.push(line);
  }

  /** Handles the end of the client's side. The transfer ends, too, unless the client has sent QUIT. */
  #onEnd(failed: unknown): void {
    this.#clientEnded = true;
    const quits = this.quitting || this.#queue.some((line) => parseCommand(line).verb === "QUIT");
    if (!failed && quits) return;
    const reason = new BargeError("unavailable", "the client has left");
    this.transfer?.abort(reason);
    if (!this.transfer) this.ended.abort(reason);
  }

  /** Ends the connection and the transfer of a client whose login has ended. */
  #expel(reason: BargeError): void {
    if (this.#idle) void this.#dismiss(reason.message);
    else this.cut(reason);
  }

  /** Sends 421, and closes the connection. */
  async #dismiss(why: string): Promise<void> {
    const reason = new BargeError("unavailable", why);
    try {
      await this.answer(reply(421, `${why}; goodbye`));
      await this.stream.end(this.door.timeouts.answer);
    } catch { /* the client is gone */ }
    this.stream.close(reason);
  }

  /**
   * Closes the connection without losing the last reply, like `linger` in ../linger.ts. It reads through
   * the line reader: that may have a read under way, and the stream allows no second read.
   */
  async #linger(): Promise<void> {
    if (this.stream.closed) return;
    await this.#writing;
    await this.stream.end(this.door.timeouts.answer);
    const cut = setTimeout(() => this.stream.close(), this.door.timeouts.linger);
    try {
      while (!this.#clientEnded) this.#clientEnded = (await this.#take()).line === null;
    } finally {
      clearTimeout(cut);
    }
  }

  #write(bytes: Uint8Array): Promise<void> {
    const writing = this.#writing.then(() => this.stream.write(bytes, this.door.timeouts.answer));
    this.#writing = writing.catch(() => {/* the caller of this write gets the failure */});
    return writing;
  }
}
