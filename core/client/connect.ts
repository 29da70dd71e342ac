/** Opens a connection to a server: dial, TLS if the remote says so, hello, version. */
import { BargeError } from "../error.ts";
import { dial } from "../net/dial.ts";
import { Client, patience } from "./client.ts";
import type { Remote } from "./remote.ts";

export interface ConnectOptions {
  /** Cuts the connection, now or whenever it fires; waiters fail with kind `interrupted`. */
  readonly signal?: AbortSignal;
  /** Milliseconds until the server must have answered hello; 10 s by default. */
  readonly timeout?: number;
  /** This program's name and version. */
  readonly agent?: string;
  /** Called before hello is answered: what it asks leaves with hello, and saves a round trip. */
  readonly meanwhile?: (client: Client) => void;
}

/**
 * @returns a greeted connection, not logged in; the caller closes it
 * @throws {BargeError} `unavailable`, `identity`, `unsupported`, `protocol`, `interrupted`
 */
export async function connect(remote: Remote, options: ConnectOptions = {}): Promise<Client> {
  const { signal, timeout = 10_000, agent = "barge" } = options;
  if (signal?.aborted) throw stopped(signal);
  let client: Client;
  try {
    const { trust } = remote;
    client = new Client(await dial(remote, { timeout, idleTimeoutMs: patience, signal, trust }));
  } catch (error) {
    throw signal?.aborted ? stopped(signal) : error;
  }
  if (signal) {
    const cut = () => client.close(stopped(signal));
    signal.addEventListener("abort", cut, { once: true });
    client.onClose(() => signal.removeEventListener("abort", cut));
    if (signal.aborted) cut();
  }
  try {
    const greeted = client.greet(agent, timeout);
    options.meanwhile?.(client);
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
