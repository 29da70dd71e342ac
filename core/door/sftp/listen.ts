import { getLogger } from "@logtape/logtape";
import { BargeError } from "../../error.ts";
import type { Address } from "../../net/address.ts";
import type { Stream } from "../../net/stream.ts";
import type { Service } from "../../login/service.ts";
import type { Door, DoorSpec, Opening } from "../door.ts";
import { host } from "../listen.ts";
import { listenTcp } from "../listen_tcp.ts";
import { algorithms } from "./algorithms.ts";
import { Connection, defaultTimeouts, type Shared } from "./connection.ts";
import { type Client, makeServer } from "./ssh2.ts";
import { PendingLogins } from "./pending_logins.ts";

const log = getLogger(["barge", "serve"]);

/** Opens the SFTP door. @throws as `OpenDoor` */
export function openDoor({ store, spec, reusePort, hostKeys = [] }: Opening): Door {
  return listenSftp(store, spec.address, reusePort, hostKeys, defaultTimeouts, spec);
}

/**
 * Listens for SFTP clients and serves them.
 *
 * @param reusePort share the port with other workers
 * @param hostKeys in OpenSSH's format
 * @param timeouts the time limits of clients
 * @param proxies the proxies in front of the door
 * @throws {Deno.errors.AddrInUse} and others when it can't listen there; {BargeError} `fatal` when the
 *   host keys can't be used
 */
export function listenSftp(
  store: Service,
  address: Address,
  reusePort: boolean,
  hostKeys: readonly string[],
  timeouts = defaultTimeouts,
  proxies: Pick<DoorSpec, "trustedProxies" | "proxyProtocol"> = {},
): Door {
  const { host: hostname, port } = address;
  const pendingLogins = new PendingLogins();
  const shared = { store, begin: startSsh(hostKeys), timeouts, pendingLogins };
  return host({
    store,
    name: "sftp",
    host: hostname,
    listener: listenTcp({ hostname, port, reusePort }, proxies),
    idleTimeoutMs: timeouts.beforeLogin,
    begin: (stream, presence) => new Connection(shared, stream, presence),
    refusals: { refuse, stop: () => Promise.resolve() }, // each refusal ends within a second
  });
}

/**
 * Makes an `ssh2` server. @returns the function that hands a socket to it
 *
 * @throws {BargeError} `fatal` for keys that can't be used
 */
function startSsh(hostKeys: readonly string[]): Shared["begin"] {
  const waiting = new Map<string, (client: Client) => void>();
  try {
    const server = makeServer({ hostKeys, ident: "barge", algorithms });
    // `ip` is the socket's `remoteAddress`: HOST:PORT, which is unique among open connections.
    server.on("connection", (client, { ip }) => waiting.get(ip)?.(client));
    return (socket, onClient) => {
      waiting.set(socket.remoteAddress, onClient);
      socket.once("close", () => waiting.delete(socket.remoteAddress));
      server.injectSocket(socket);
    };
  } catch (cause) {
    throw new BargeError("fatal", (cause as Error).message, { op: "use host keys", cause });
  }
}

/** Sends a line that clients show, before the SSH version (RFC 4253, section 4.2), and closes. */
function refuse(stream: Stream): void {
  const text = new TextEncoder().encode("There are too many connections: try again later.\r\n");
  stream.write(text, 1000).catch(() => {/* the client is gone */}).finally(() => stream.close());
  log.debug("{peer}: too many connections", { peer: stream.peer });
}
