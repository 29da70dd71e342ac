/**
 * Serves one client's control connection, from the greeting to the goodbye.
 *
 *   (implicit TLS) -> greeted -> (AUTH: TLS) -> (USER, PASS: logged in) -> closed
 *
 * Commands run one after the other, in the order of their arrival. While a slow one runs, the
 * connection is read: ABOR, NOOP, STAT and QUIT are answered at once (RFC 959, section 4.1.3), other
 * commands wait in a bounded queue, and the transfer ends when the client leaves.
 *
 * Invariants: at most one read is under way; none is during the handshake of AUTH TLS, and no command
 * that was read in the clear runs after it; each wait has a deadline.
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
import type { Service } from "../../login/service.ts";
import type { Tickets } from "../../net/tls_tickets.ts";
import { Access, outcomeOf } from "../access.ts";
import type { DoorSpec } from "../door.ts";
import { explain, note } from "../failure.ts";
import type { Conversation } from "../listen.ts";
import { plainAddress } from "./address.ts";
import { commandFor, type CommandLine, parseCommand } from "./command.ts";
import { DataPort } from "./data_port.ts";
import type { Line } from "./line_parser.ts";
import { LineReader } from "./line_reader.ts";
import { locate } from "./locate.ts";
import type { Patience } from "./patience.ts";
import type { Connection } from "./row.ts";
import { encodeReply, Failed, type Reply, reply, replyTo } from "./reply.ts";
import { freshState, type State } from "./state.ts";

const log = getLogger(["barge", "ftp"]);
/** The most commands that may wait for the running one. */
const maxQueuedCommands = 32;

/** The parts that all connections of a door share. */
export interface Host {
  readonly store: Service;
  readonly spec: DoorSpec;
  readonly patience: Patience;
  /** Returns the current certificate. */
  readonly shown: () => ServerIdentity | undefined;
  /** The TLS sessions of all connections. */
  readonly tickets: Tickets;
}

/** The outcome of a read: a line, null for the end, or the failure. */
type ReadResult = { readonly line: Line | null } | { readonly failed: unknown };

export class Control implements Connection, Conversation {
  readonly store: Service;
  readonly stream: Stream;
  readonly spec: DoorSpec;
  readonly patience: Patience;
  readonly shown: () => ServerIdentity | undefined;
  readonly host: string;
  readonly local: string;
  readonly data: DataPort;
  state: State = freshState();
  tls: TlsPipe | undefined;
  session: Session | undefined;
  account: string | null = null;
  readonly ended = new AbortController();
  transfer: AbortController | undefined;
  aborted = false;
  quitting = false;
  #leaveAccount: () => void = () => {};
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
  #leaving = false;
  /** True between commands. */
  #idle = false;
  #writing: Promise<void> = Promise.resolve();
  readonly #loginBy: number;

  /**
   * @param stream taken over: it is closed when {@link run} ends
   * @param presence kept up to date
   * @param local the server's address that the client has reached
   */
  constructor(
    { store, spec, patience, shown, tickets }: Host,
    stream: Stream,
    presence: Presence,
    local: string,
  ) {
    this.#presence = presence;
    this.store = store;
    this.#tlsSessions = new Sessions(tickets);
    this.spec = spec;
    this.patience = patience;
    this.shown = shown;
    this.stream = stream;
    this.host = plainAddress(parseAddress(stream.peer).host);
    this.local = plainAddress(local);
    this.#lines = new LineReader(stream, (bytes) => this.#write(bytes));
    this.#loginBy = performance.now() + patience.login;
    // Implicit TLS covers data connections, too, also without PROT P.
    this.state.protect = spec.name === "ftps";
    this.data = new DataPort({
      host: spec.address.host,
      spec: spec.ftp!,
      peer: this.host,
      patience,
      sessions: this.#tlsSessions,
      gate: store.gate,
      proxies: spec,
    });
  }

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
      await this.#reading;
    }
  }

  leave(): void {
    this.#leaving = true;
    if (this.#idle) void this.#dismiss("the server is stopping");
  }

  cut(reason: BargeError): void {
    this.transfer?.abort(reason);
    this.stream.close(reason);
    this.ended.abort(reason);
  }

  async say(answer: Reply): Promise<void> {
    await this.#write(encodeReply(answer));
  }

  admit(session: Session | undefined): boolean {
    const leave = session && this.store.gate.login(session.id);
    if (session && !leave) return false;
    this.#leaveAccount();
    const forget = session && this.store.live.enter(session, (reason) => this.#expel(reason));
    this.#leaveAccount = () => {
      forget?.();
      leave?.();
    };
    this.#tlsSessions.login(session?.id);
    this.session = session;
    return true;
  }

  async lives(ms: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { signal } = this.transfer!;
    const gone = () => reject(signal.reason);
    const timer = setTimeout(resolve, ms);
    this.#onLine = resolve;
    signal.addEventListener("abort", gone);
    try {
      if (signal.aborted) gone();
      await promise;
    } finally {
      clearTimeout(timer);
      this.#onLine = () => {};
      signal.removeEventListener("abort", gone);
    }
  }

  async pause(ms: number): Promise<void> {
    await delay(ms, this.ended.signal);
  }

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
      const shake = (below: Pipe) => this.#tlsSessions.begin(below, shown);
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

  /** Returns the next line; null when the client has ended its side, or was too slow. */
  async #next(): Promise<Line | null> {
    const { stranger, idle } = this.patience;
    const left = this.#loginBy - performance.now();
    const ms = this.session ? idle : Math.max(0, Math.min(stranger, left));
    const timer = setTimeout(() => void this.#dismiss("no command came in time"), ms);
    this.#idle = true;
    try {
      const got = await this.#take();
      if ("failed" in got) throw got.failed;
      return got.line;
    } finally {
      this.#idle = false;
      clearTimeout(timer);
    }
  }

  #peek(): Promise<ReadResult> {
    return this.#reading ??= this.#lines.next().then(
      (line) => ({ line }),
      (failed) => ({ failed }),
    );
  }

  async #take(): Promise<ReadResult> {
    const got = await this.#peek();
    this.#reading = undefined;
    return got;
  }

  async #execute(line: Line): Promise<void> {
    const command = parseCommand(line);
    const { verb, argument } = command;
    const access = await this.#access(command);
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
      const path = command.row?.path && argument ? await this.path(argument) : undefined;
      const failed = explain(error, { op: verb.slice(0, 40).toLowerCase(), path });
      record(failed.kind);
      await this.say(replyTo(failed, failed instanceof Failed ? failed.code : undefined));
    } finally {
      if (this.#presence.doing === access) this.#presence.doing = null;
      this.#presence.account = this.session ? this.account : null;
    }
  }

  async #access({ row, argument }: CommandLine): Promise<Access> {
    const verb = row?.does ?? null;
    const path = row?.path ? await this.path(argument) : null;
    const to = verb === "move" ? { path: this.state.renameFrom ?? null, to: path! } : { path };
    const arrived = { door: this.spec.name, address: this.stream.peer, verb, ...to };
    const access = new Access(arrived, this.store.metrics);
    access.account = this.account;
    access.login = verb === "login";
    return access;
  }

  path(argument: string): Promise<string> {
    return locate(this.session, this.state.folder, argument);
  }

  /** Reads the connection while a slow command runs. */
  async #watch<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const ended = work.then(() => void (done = true), () => void (done = true));
    try {
      while (!this.#clientEnded) {
        await Promise.race([ended, this.#peek()]);
        if (done) break;
        const got = await this.#peek();
        const line = "line" in got ? got.line : null;
        if (line && this.#queue.length >= maxQueuedCommands) break;
        this.#reading = undefined;
        if (line) await this.#whileRunning(line);
        else this.#onEnd(got);
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
    } else if (this.#queue.length > 0 || !this.transfer) {
      this.#queue.push(line);
    } else if (verb === "NOOP" || verb === "STAT" && argument === "") {
      await this.#execute(line);
    } else if (verb === "QUIT") {
      // RFC 959: the connection stays open until the transfer's reply.
      await this.#execute(line);
    } else {
      this.#queue.push(line);
    }
  }

  /** Handles the end of the client's side; unless it has sent QUIT, the transfer ends. */
  #onEnd(got: ReadResult): void {
    this.#clientEnded = true;
    const quits = this.quitting || this.#queue.some((line) => parseCommand(line).verb === "QUIT");
    if (!("failed" in got) && quits) return;
    const reason = new BargeError("unavailable", "the client has left");
    this.transfer?.abort(reason);
    if (!this.transfer) this.ended.abort(reason);
  }

  /** Ends the connection and the transfer of a client whose login has ended. */
  #expel(reason: BargeError): void {
    if (this.#idle) void this.#dismiss(reason.message);
    else this.cut(reason);
  }

  /** Sends 421 and closes. */
  async #dismiss(why: string): Promise<void> {
    const reason = new BargeError("unavailable", why);
    try {
      await this.say(reply(421, `${why}; goodbye`));
      await this.stream.end(this.patience.answer);
    } catch { /* the client is gone */ }
    this.stream.close(reason);
  }

  /** As `linger` in ../linger.ts, through the reader of lines, which may have a read under way. */
  async #linger(): Promise<void> {
    if (this.stream.closed) return;
    await this.#writing;
    await this.stream.end(this.patience.answer);
    const cut = setTimeout(() => this.stream.close(), this.patience.linger);
    try {
      while (!this.#clientEnded) {
        const got = await this.#take();
        this.#clientEnded = "failed" in got || got.line === null;
      }
    } finally {
      clearTimeout(cut);
    }
  }

  #write(bytes: Uint8Array): Promise<void> {
    const writing = this.#writing.then(() => this.stream.write(bytes, this.patience.answer));
    this.#writing = writing.catch(() => {/* the caller of this write gets the failure */});
    return writing;
  }
}
