/**
 * The shell's connection, which reconnects when it is lost.
 *
 * The server and the network may close the connection, and Ctrl-C closes it, to stop a transfer.
 * {@link Link.client} returns a connection that has just answered a ping. The credentials for
 * reconnecting are kept in memory only.
 */
import type { Client } from "../../core/client/client.ts";
import { type Credentials, type Login, login as logIn } from "../../core/client/login.ts";
import { ping } from "../../core/client/ping.ts";
import type { Remote } from "../../core/client/remote.ts";
import { BargeError } from "../../core/error.ts";
import { note } from "../_term/out.ts";
import { askCode, codeWays, givenCode, withFactorHint } from "../_client/code.ts";
import { dial } from "../_client/session.ts";

export interface LinkOptions {
  readonly remote: Remote;
  readonly credentials: Credentials;
  /** Seconds until the server must have answered. Default: the client's. */
  readonly timeout?: number;
}

export class Link implements AsyncDisposable {
  readonly remote: Remote;
  readonly timeout: number | undefined;
  /** Set after the password was changed. */
  credentials: Credentials;
  #client: Client | undefined;
  #login: Login | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #unbind = () => {};

  constructor({ remote, credentials, timeout }: LinkOptions) {
    this.remote = remote;
    this.credentials = credentials;
    this.timeout = timeout;
  }

  /** The account, known after the first {@link client}. */
  get account(): string {
    return this.#login?.account ?? this.remote.account ?? "";
  }

  /**
   * Returns a connection that is logged in and alive. Calls run one after the other.
   *
   * @param signal cuts the connection, until the next call
   * @throws {BargeError} as `connect` and `login`
   */
  client(signal: AbortSignal): Promise<Client> {
    const client = this.#last.then(() => this.#live(signal));
    this.#last = client.catch(() => {/* the caller gets it */});
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]();
  }

  async #live(signal: AbortSignal): Promise<Client> {
    const old = this.#client;
    if (old) {
      this.#bind(old, signal);
      if (!old.closed) await ping(old).catch(() => {/* `closed` has the reason */});
      if (!old.closed) return old;
      signal.throwIfAborted();
      // After Ctrl-C the user expects that the connection is lost.
      const { kind, message } = old.closed;
      if (kind !== "interrupted") note(`(the connection was lost: ${message})`);
    }
    this.#client = undefined;
    const { client, login } = await connectAs(this.remote, this.credentials, signal, this.timeout);
    this.#client = client;
    this.#login = login;
    return client;
  }

  /** Lets a signal cut the connection, in place of the signal before. */
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

/** Connects and logs in. Asks for a code if the account needs one. @throws {BargeError} */
export async function connectAs(
  remote: Remote,
  credentials: Credentials,
  signal: AbortSignal,
  timeout?: number,
): Promise<{ client: Client; login: Login }> {
  try {
    return await connectOnce(remote, credentials, signal, timeout);
  } catch (error) {
    const needed = error instanceof BargeError && error.kind === "code-needed";
    if (!needed || "token" in credentials) throw error;
    const code = await givenCode({}) ?? await askCode(credentials.account, signal);
    if (code === undefined) throw error.with({ hint: codeWays });
    return await connectOnce(remote, { ...credentials, code }, signal, timeout);
  }
}

async function connectOnce(
  remote: Remote,
  credentials: Credentials,
  signal: AbortSignal,
  timeout?: number,
): Promise<{ client: Client; login: Login }> {
  const client = await dial(remote, { timeout }, signal);
  try {
    return { client, login: await logIn(client, credentials) };
  } catch (error) {
    client.close();
    if (!(error instanceof BargeError)) throw error;
    throw withFactorHint(error, remote).with({ op: "log in to", path: client.peer });
  }
}
