/**
 * Serves one client of the SFTP door: SSH by the package `ssh2`, its bytes by net/stream.ts.
 *
 *   connected -> keys exchanged -> logged in -> (channels) -> closed
 *
 * A channel is an SFTP session or one of a few commands (exec.ts). There is no shell, terminal or
 * forwarding: `ssh2` refuses requests without a listener. A client is cut if it has not logged in within
 * `login` ms. It is also cut if it sends nothing, not even a keepalive, for `beforeLogin` ms before its
 * login or for `idle` ms after it.
 */
import { BargeError } from "../../error.ts";
import { parseAddress } from "../../net/address.ts";
import { type MinRate, RateMeter } from "../../net/min_rate.ts";
import type { Stream } from "../../net/stream.ts";
import type { Session } from "../../login/session.ts";
import type { Presence } from "../../watch/roster.ts";
import type { Service } from "../../login/service.ts";
import { brakeOf } from "../brake.ts";
import { note } from "../failure.ts";
import type { Conversation } from "../listen.ts";
import { Login, type LoginContext } from "./login.ts";
import { ChannelBytes, gone } from "./bytes.ts";
import { Command } from "./exec.ts";
import type { Places } from "./handle.ts";
import { Sftp } from "./sftp.ts";
import type { Answers, Channel, Client, SessionChannel } from "./ssh2.ts";
import type { PendingLogins } from "./pending_logins.ts";
import { SshSocket } from "./socket.ts";
import type { Work } from "./work.ts";

/** Time limits of a client, in ms. */
export interface Timeouts {
  /** The time until the client has logged in. */
  readonly login: number;
  /** The time without a byte from the client, before its login. */
  readonly beforeLogin: number;
  /** The time without a byte from the client, after its login. */
  readonly idle: number;
  /** The time in which the client reads none of the bytes that wait for it. */
  readonly request: number;
  /** The lowest rate at which the client must read while the server waits for it. */
  readonly floor?: MinRate;
}

export const defaultTimeouts: Timeouts = {
  login: 120_000,
  beforeLogin: 30_000,
  idle: 600_000,
  request: 60_000,
  floor: { bytes: 60 * 1024, periodMs: 60_000 },
};

const maxChannelsPerConnection = 10;

/** The parts of the door that its connections share. */
export interface Shared {
  readonly store: Service;
  /** Hands a connection to `ssh2`; `onClient` runs when the client has sent its version. */
  readonly begin: (socket: SshSocket, onClient: (client: Client) => void) => void;
  readonly timeouts: Timeouts;
  readonly pendingLogins: PendingLogins;
}

export class Connection implements Conversation, LoginContext {
  readonly store: Service;
  readonly stream: Stream;
  readonly host: string;
  readonly ended = new AbortController();
  session: Session | undefined;
  readonly #shared: Shared;
  readonly #presence: Presence;
  readonly #socket: SshSocket;
  readonly #works = new Map<Work, Promise<void>>();
  readonly #places: Places = { taken: 0 };
  #client: Client | undefined;
  #channels = 0;
  #leaveAccount: () => void = () => {};
  #leavePending: () => void = () => {};
  #stopping = false;

  /**
   * @param stream closed when {@link run} ends
   * @param presence the connection's record for listings, which is kept up to date
   */
  constructor(shared: Shared, stream: Stream, presence: Presence) {
    const { store, timeouts } = shared;
    this.#shared = shared;
    this.store = store;
    this.stream = stream;
    this.host = parseAddress(stream.peer).host;
    this.#presence = presence;
    stream.idleTimeoutMs = timeouts.beforeLogin;
    this.#socket = new SshSocket(stream, {
      readTimeoutMs: timeouts.request,
      brake: (direction) => brakeOf(store.rates[direction], this.session?.id, this.ended.signal),
    });
  }

  async run(): Promise<void> {
    const { begin, timeouts: { login }, pendingLogins } = this.#shared;
    const leave = pendingLogins.enter(this);
    if (!leave) {
      return this.cut(new BargeError("unavailable", "too many connections have not logged in"));
    }
    this.#leavePending = leave;
    const timer = setTimeout(() => {
      if (!this.session) this.cut(new BargeError("unavailable", `no login in ${login / 1000} s`));
    }, login);
    const closed = new Promise<void>((resolve) => this.#socket.once("close", resolve));
    this.#socket.on("error", (error) => note(error, this.stream.peer));
    try {
      begin(this.#socket, (client) => this.#serve(client));
      await closed;
    } catch (error) {
      note(error, this.stream.peer);
    } finally {
      clearTimeout(timer);
      this.ended.abort(gone());
      this.#socket.destroy();
      this.#leavePending();
      await Promise.all(this.#works.values());
      this.#leaveAccount();
      this.stream.close();
    }
  }

  leave(): void {
    this.#stopping = true;
    for (const work of this.#works.keys()) work.stopping = true;
    this.#endIfIdle();
  }

  cut(reason: BargeError): void {
    this.stream.close(reason);
    this.ended.abort(reason);
    this.#socket.destroy();
  }

  /**
   * Logs the connection in to a session.
   *
   * @throws {BargeError} `unavailable` when the account has too many connections, or the client is gone
   */
  admit(session: Session): void {
    this.ended.signal.throwIfAborted();
    const leave = this.store.gate.login(session.id);
    if (!leave) throw new BargeError("unavailable", "the account has too many connections");
    const { idle, floor } = this.#shared.timeouts;
    const forget = this.store.live.enter(session, (reason) => this.cut(reason));
    this.#leaveAccount = () => {
      forget();
      leave();
    };
    this.session = session;
    this.#socket.encrypted = true;
    this.#leavePending();
    this.#presence.account = session.name;
    this.stream.idleTimeoutMs = idle;
    // A logged-in client may be silent, but must read the answers to its requests.
    const noFloor = { bytes: 0, periodMs: Infinity };
    if (floor) this.stream.rates = { read: new RateMeter(noFloor), write: new RateMeter(floor) };
  }

  end(): void {
    this.#client?.end();
    this.#socket.end();
  }

  #serve(client: Client): void {
    this.#client = client;
    // Protocol errors that `ssh2` finds, and broken connections.
    client.on("error", (error) => {
      const why = error instanceof BargeError ? error : new BargeError("protocol", error.message);
      note(why, this.stream.peer);
    });
    new Login(this, client);
    client.on("session", (accept, reject) => {
      const { session } = this;
      if (this.#stopping || this.#channels >= maxChannelsPerConnection || !session) return reject();
      this.#channels++;
      this.#open(accept(), session);
    });
  }

  #open(channel: SessionChannel, session: Session): void {
    const ended = this.ended.signal;
    const facts = { session, address: this.stream.peer, presence: this.#presence, ended };
    channel.on("close", () => this.#channels--);
    channel.on("subsystem", (accept, reject, { name }) => {
      if (name !== "sftp") return void reject?.();
      const onIdle = () => this.#endIfIdle();
      this.#start(accept, reject, (bytes) => new Sftp({ ...facts, bytes }, this.#places, onIdle));
    });
    channel.on("exec", (accept, reject, { command }) => {
      this.#start(accept, reject, (bytes) => new Command({ ...facts, bytes }, command));
    });
    // Accepted only for a message on standard error, since a refused request has none.
    channel.on("shell", (accept, reject) => {
      this.#start(accept, reject, (bytes) => new Command({ ...facts, bytes }, ""));
    });
  }

  #start(...[accept, reject, begin]: [...Answers<Channel>, (bytes: ChannelBytes) => Work]): void {
    if (this.#stopping) return void reject?.();
    const channel = accept?.();
    if (!channel) return; // it is closed, or runs something already
    const work = begin(new ChannelBytes(channel, this.#socket));
    const ended = work.run().finally(() => {
      this.#works.delete(work);
      this.#endIfIdle();
    });
    this.#works.set(work, ended);
  }

  /** Ends the connection when the server stops and no channel is busy. */
  #endIfIdle(): void {
    if (!this.#stopping) return;
    for (const work of this.#works.keys()) if (work.busy) return;
    this.end();
  }
}
