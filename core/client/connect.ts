/** Opens a connection to a server, with TLS if `trust` is set, and checks the protocol's version. */
import { BargeError } from "../error.ts";
import { dial } from "../net/dial.ts";
import type { RateLimit } from "./rate_limit.ts";
import { Client, idleTimeoutMs } from "./client.ts";
import { type Remote, withPortHint } from "./remote.ts";

export interface ConnectOptions {
  /** Closes the connection when it fires; waiting calls fail with kind `interrupted`. */
  readonly signal?: AbortSignal;
  /** The most milliseconds to wait for the answer to `hello`; 10 s by default. */
  readonly timeout?: number;
  /** This program's name and version. */
  readonly agent?: string;
  /** Slows sending and receiving down; connections may share it. Default: no limit. */
  readonly limit?: RateLimit;
  /** Makes requests that are sent together with `hello`, which saves a round trip. */
  readonly sendWithHello?: (client: Client) => void;
}

/**
 * Connects to a server, without a login.
 *
 * @returns a connection, which the caller closes
 * @throws {BargeError} `unavailable`, `identity`, `unsupported`, `protocol`, `interrupted`
 */
export async function connect(remote: Remote, options: ConnectOptions = {}): Promise<Client> {
  const { signal, timeout = 10_000, agent = "barge" } = options;
  if (signal?.aborted) throw stopped(signal);
  const { trust } = remote;
  const stream = await dial(remote, { timeout, idleTimeoutMs, signal, trust }).catch((error) => {
    throw signal?.aborted ? stopped(signal) : withPortHint(error, remote);
  });
  const client = new Client(stream, options.limit);
  if (signal) {
    const interrupt = () => client.close(stopped(signal));
    signal.addEventListener("abort", interrupt, { once: true });
    client.onClose(() => signal.removeEventListener("abort", interrupt));
    if (signal.aborted) interrupt();
  }
  try {
    const greeted = client.greet(agent, timeout);
    options.sendWithHello?.(client);
    await greeted;
    return client;
  } catch (error) {
    client.close();
    throw error instanceof BargeError ? error.with({ op: "connect to", path: client.peer }) : error;
  }
}

function stopped(signal: AbortSignal): BargeError {
  const { reason } = signal;
  return reason instanceof BargeError ? reason : new BargeError("interrupted", "stopped");
}
