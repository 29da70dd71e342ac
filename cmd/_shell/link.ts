/**
 * The shell's connection, which is made again when it was lost.
 *
 * States: open; closed, by the server, the network, or Ctrl-C, which cuts it since that is the only
 * way to stop a transfer. {@link Link.client} always hands out one that just answered a ping. What
 * was given to log in is kept in memory for that, and nowhere else.
 */
import type { Client } from "../../core/client/client.ts";
import { connect } from "../../core/client/connect.ts";
import { type Credentials, type Login, login } from "../../core/client/login.ts";
import { ping } from "../../core/client/ping.ts";
import type { Remote } from "../../core/client/remote.ts";
import { BargeError } from "../../core/error.ts";
import { note } from "../_term/out.ts";
import { version } from "../_version.ts";

export interface LinkOptions {
  readonly remote: Remote;
  readonly credentials: Credentials;
  /** Milliseconds until the server must have answered; the client's own default else. */
  readonly timeout?: number;
}

export class Link implements AsyncDisposable {
  readonly remote: Remote;
  readonly timeout: number | undefined;
  /** A new password is put here once it holds. */
  credentials: Credentials;
  #client: Client | undefined;
  #who: Login | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #unbind = () => {};

  constructor({ remote, credentials, timeout }: LinkOptions) {
    this.remote = remote;
    this.credentials = credentials;
    this.timeout = timeout;
  }

  /** Who one is; known after the first {@link client}. */
  get account(): string {
    return this.#who?.account ?? this.remote.account ?? "";
  }

  /**
   * A connection that is logged in and alive. One call after the other is served.
   *
   * @param signal cuts it, now or until the next call
   * @throws {BargeError} what connecting and logging in give
   */
  client(signal: AbortSignal): Promise<Client> {
    const client = this.#last.then(() => this.#live(signal));
    this.#last = client.catch(() => {/* the caller is told */});
    return client;
  }

  /** Says goodbye. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]();
  }

  async #live(signal: AbortSignal): Promise<Client> {
    const old = this.#client;
    if (old) {
      this.#bind(old, signal);
      if (!old.closed) await ping(old).catch(() => {/* the client says why */});
      if (!old.closed) return old;
      signal.throwIfAborted();
      // After Ctrl-C it is no news that the connection is gone.
      const { kind, message } = old.closed;
      if (kind !== "interrupted") note(`(the connection was lost: ${message})`);
    }
    this.#client = undefined;
    const { client, who } = await enterAs(this.remote, this.credentials, signal, this.timeout);
    this.#client = client;
    this.#who = who;
    return client;
  }

  /** Has a signal cut the connection, and none that did so before. */
  #bind(client: Client, signal: AbortSignal): void {
    this.#unbind();
    const cut = () => {
      const { reason } = signal;
      client.close(reason instanceof BargeError ? reason : undefined);
    };
    this.#unbind = () => signal.removeEventListener("abort", cut);
    signal.addEventListener("abort", cut);
    if (signal.aborted) cut();
  }
}

/** Connects and logs in. @throws {BargeError} */
export async function enterAs(
  remote: Remote,
  credentials: Credentials,
  signal: AbortSignal,
  timeout?: number,
): Promise<{ client: Client; who: Login }> {
  const client = await connect(remote, { signal, timeout, agent: `barge/${version}` });
  try {
    return { client, who: await login(client, credentials) };
  } catch (error) {
    client.close();
    throw error instanceof BargeError ? error.with({ op: "log in to", path: client.peer }) : error;
  }
}
