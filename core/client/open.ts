/**
 * Opens a connection for a program that uses the client as a library: connects, checks the server's
 * certificate, logs in.
 */
import { isLoopback } from "../net/address.ts";
import type { Trust } from "../net/trust.ts";
import type { Client } from "./client.ts";
import { connect, type ConnectOptions } from "./connect.ts";
import { type Credentials, login } from "./login.ts";
import { parseRemote } from "./remote.ts";

export interface OpenOptions extends Omit<ConnectOptions, "sendWithHello"> {
  /** An account's password, or a token. Absent: the connection is not logged in. */
  readonly credentials?: Credentials;
  /**
   * The certificates to accept. Default: those that an authority of this machine vouches for.
   * Setting it implies TLS.
   */
  readonly trust?: Trust;
  /** Whether to use TLS. Default: to all hosts but this one. */
  readonly tls?: boolean;
}

/**
 * Connects to a server and logs in.
 *
 * @param server `barge://HOST[:PORT]`; the scheme may be omitted
 * @returns a connection, which the caller closes (`await using`)
 * @throws {BargeError} `usage` for an invalid address or token; `unavailable`; `identity` for a
 *   certificate that is not trusted; `unauthenticated`; `unsupported`; `protocol`; `interrupted`
 */
export async function open(server: string, options: OpenOptions = {}): Promise<Client> {
  const { credentials, trust, tls, ...rest } = options;
  const remote = parseRemote(server);
  const encrypted = tls ?? (trust !== undefined || !isLoopback(remote.host));
  const accepted = encrypted ? trust ?? { knownHosts: undefined } : undefined;
  const client = await connect({ ...remote, trust: accepted }, rest);
  try {
    if (credentials) await login(client, credentials);
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}
