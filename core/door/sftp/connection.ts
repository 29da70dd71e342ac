/**
 * One client of the SFTP door: SSH by the package `ssh2`, its bytes by net/stream.ts.
 *
 *   connected -> keys exchanged -> logged in -> (channels) -> closed
 *
 * A channel is an SFTP session or one of a few commands (exec.ts); there is no shell, no terminal and
 * no forwarding: `ssh2` refuses what nobody listens for. Who has not logged in within `login` ms, or
 * says nothing for `stranger` ms before and `idle` ms after, is cut; a client's keepalives count.
 */
import { BargeError } from "../../error.ts";
import { parseAddress } from "../../net/address.ts";
import { type MinRate, RateMeter } from "../../net/min_rate.ts";
import type { Stream } from "../../net/stream.ts";
import type { Session } from "../../login/session.ts";
import type { Presence } from "../../watch/roster.ts";
import type { Store } from "../../local/store.ts";
import { brakeOf } from "../brake.ts";
import { note } from "../failure.ts";
import type { Conversation } from "../listen.ts";
import { Login } from "./login.ts";
import { ChannelBytes } from "./bytes.ts";
import { Command } from "./exec.ts";
import { Places } from "./handle.ts";
import { Sftp } from "./sftp.ts";
import type { Channel, Client, SessionChannel } from "./ssh2.ts";
import { Strangers } from "./strangers.ts";
import { Wire } from "./wire.ts";

/** How long a client may take, in ms. */
export interface Patience {
  /** All in all, until it has logged in. */
  readonly login: number;
  /** Between two of its bytes, before it has logged in. */
  readonly stranger: number;
  /** The same, after that. */
  readonly idle: number;
  /** To take what it is sent. */
  readonly request: number;
  /** The least that it must take while it is waited for. */
  readonly floor?: MinRate;
}

export const patience: Patience = {
  login: 120_000,
  stranger: 30_000,
  idle: 600_000,
  request: 60_000,
  floor: { bytes: 60 * 1024, periodMs: 60_000 },
};

/** How many channels one connection may have at once. */
const mostChannels = 10;

/** What runs on a channel. */
export interface Work {
  /** Is something under way that is not to be cut without need? */
  readonly busy: boolean;
  /** Serves the client until it is gone. Never throws. */
  run(): Promise<void>;
  /** The server stops: nothing new is begun. */
  leave(): void;
}

/** What it is given. */
export interface WorkOptions {
  readonly session: Session;
  /** Who is logged in. */
  readonly account: string;
  /** HOST:PORT of the other end. */
  readonly address: string;
  readonly bytes: ChannelBytes;
  /** Kept up to date. */
  readonly presence: Presence;
  /** Aborted when the connection ends. */
  readonly ended: AbortSignal;
}

/** Hands a connection to `ssh2`, which tells when the client has said its version. */
export type Begin = (wire: Wire, onClient: (client: Client) => void) => void;

export class Connection implements Conversation {
  readonly store: Store;
  readonly stream: Stream;
  /** The client's numeric address, without the port. */
  readonly host: string;
  /** Aborted when the connection ends, for whatever reason. */
  readonly ended = new AbortController();
  session: Session | undefined;
  readonly #begin: Begin;
  readonly #presence: Presence;
  readonly #patience: Patience;
  readonly #wire: Wire;
  readonly #works = new Map<Work, Promise<void>>();
  readonly #places = new Places();
  #client: Client | undefined;
  #channels = 0;
  #account = "";
  #leaveAccount: () => void = () => {};
  #leaveStrangers: () => void = () => {};
  readonly #strangers: Strangers;
  #leaving = false;

  /**
   * @param stream taken over: it is closed when {@link run} ends
   * @param presence kept up to date
   * @param strangers those of this worker that have not logged in
   */
  constructor(
    store: Store,
    stream: Stream,
    begin: Begin,
    presence: Presence,
    allowed: Patience = patience,
    strangers: Strangers = new Strangers(),
  ) {
    this.store = store;
    this.stream = stream;
    this.host = parseAddress(stream.peer).host;
    this.#begin = begin;
    this.#presence = presence;
    this.#patience = allowed;
    this.#strangers = strangers;
    stream.idleTimeoutMs = allowed.stranger;
    const { rates } = store;
    const { signal } = this.ended;
    this.#wire = new Wire(stream, {
      patience: allowed.request,
      brakes: {
        up: () => brakeOf(rates.up, this.session?.id, signal),
        down: () => brakeOf(rates.down, this.session?.id, signal),
      },
    });
  }

  async run(): Promise<void> {
    const leave = this.#strangers.enter(this);
    if (!leave) return this.cut(new BargeError("unavailable", "too many have not logged in"));
    this.#leaveStrangers = leave;
    const { login } = this.#patience;
    const late = setTimeout(() => {
      if (!this.session) this.cut(new BargeError("unavailable", `no login in ${login / 1000} s`));
    }, login);
    const gone = new Promise<void>((resolve) => this.#wire.once("close", resolve));
    this.#wire.on("error", (error) => note(error, this.stream.peer));
    try {
      this.#begin(this.#wire, (client) => this.#serve(client));
      await gone;
    } catch (error) {
      note(error, this.stream.peer);
    } finally {
      clearTimeout(late);
      this.ended.abort(new BargeError("unavailable", "the client is gone"));
      this.#wire.destroy();
      this.#leaveStrangers();
      await Promise.all(this.#works.values());
      this.#leaveAccount();
      this.stream.close();
    }
  }

  leave(): void {
    this.#leaving = true;
    for (const work of this.#works.keys()) work.leave();
    this.#rest();
  }

  cut(reason: BargeError): void {
    this.stream.close(reason);
    this.ended.abort(reason);
    this.#wire.destroy();
  }

  /**
   * Makes the session this connection's.
   *
   * @throws {BargeError} `unavailable` when its account has too many, or the client is gone
   */
  admit(session: Session): void {
    this.ended.signal.throwIfAborted();
    const leave = this.store.gate.login(session.id);
    if (!leave) throw new BargeError("unavailable", "the account has too many connections");
    const { idle, floor } = this.#patience;
    const forget = this.store.live.enter(session, (reason) => this.cut(reason));
    this.#leaveAccount = () => {
      forget();
      leave();
    };
    this.#account = session.name;
    this.session = session;
    this.#leaveStrangers();
    this.#presence.account = this.#account;
    this.stream.idleTimeoutMs = idle;
    // A client that sends nothing for long is one that has nothing to say; one that takes nothing is not.
    const any = { bytes: 0, periodMs: Infinity };
    if (floor) this.stream.rates = { read: new RateMeter(any), write: new RateMeter(floor) };
  }

  /** Says goodbye. */
  end(): void {
    this.#client?.end();
    this.#wire.end();
  }

  #serve(client: Client): void {
    this.#client = client;
    // What `ssh2` finds wrong with what a client sends, and broken connections.
    client.on("error", (error) => this.#wrong(error));
    new Login(this, client);
    client.on("session", (accept, reject) => {
      if (this.#leaving || this.#channels >= mostChannels || !this.session) return reject();
      this.#channels++;
      this.#open(accept());
    });
  }

  #wrong(error: Error): void {
    const why = error instanceof BargeError ? error : new BargeError("protocol", error.message);
    note(why, this.stream.peer);
  }

  #open(channel: SessionChannel): void {
    channel.on("close", () => this.#channels--);
    channel.on("subsystem", (accept, reject, { name }) => {
      if (name !== "sftp" || this.#leaving) return void reject?.();
      const bytes = this.#accept(accept);
      if (bytes) this.#start(this.#sftp(bytes));
    });
    channel.on("exec", (accept, reject, { command }) => {
      if (this.#leaving) return void reject?.();
      const bytes = this.#accept(accept);
      if (!bytes) return;
      this.#start(new Command({ ...this.#facts(bytes), command }));
    });
  }

  /** @returns undefined for a channel that runs something already, or is closed */
  #accept(accept: (() => Channel | undefined) | undefined): ChannelBytes | undefined {
    const channel = accept?.();
    return channel && new ChannelBytes(channel, this.#wire);
  }

  #sftp(bytes: ChannelBytes): Sftp {
    const onRest = () => this.#rest();
    return new Sftp({ ...this.#facts(bytes), places: this.#places, onRest });
  }

  #facts(bytes: ChannelBytes): WorkOptions {
    return {
      session: this.session!,
      account: this.#account,
      address: this.stream.peer,
      bytes,
      presence: this.#presence,
      ended: this.ended.signal,
    };
  }

  #start(work: Work): void {
    const ended = work.run().finally(() => {
      this.#works.delete(work);
      this.#rest();
    });
    this.#works.set(work, ended);
  }

  /** Where the server stops and nothing is under way any more, that was all. */
  #rest(): void {
    if (!this.#leaving) return;
    for (const work of this.#works.keys()) if (work.busy) return;
    this.end();
  }
}
