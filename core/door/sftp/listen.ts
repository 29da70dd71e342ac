/** Opens the SFTP door. */
import { getLogger } from "@logtape/logtape";
import { BargeError } from "../../error.ts";
import type { Address } from "../../net/address.ts";
import type { Stream } from "../../net/stream.ts";
import type { Service } from "../../login/service.ts";
import type { Door, DoorSpec, Opening } from "../door.ts";
import { host } from "../listen.ts";
import { listenTcp } from "../listen_tcp.ts";
import { algorithms } from "./algorithms.ts";
import { type Begin, Connection, patience } from "./connection.ts";
import { type Client, makeServer } from "./ssh2.ts";
import { Strangers } from "./strangers.ts";
import type { Wire } from "./wire.ts";

const log = getLogger(["barge", "serve"]);

/** As the operator asks for it. @throws as `OpenDoor` */
export function openDoor({ store, spec, reusePort, hostKeys = [] }: Opening): Door {
  return listenSftp(store, spec.address, reusePort, hostKeys, patience, spec);
}

/**
 * @param reusePort share the port with other workers
 * @param hostKeys in OpenSSH's format
 * @param allowed how long clients may take
 * @param proxies those in front of the door
 * @throws {Deno.errors.AddrInUse} and others when it can't listen there; {BargeError} `fatal` when the
 *   host keys can't be used
 */
export function listenSftp(
  store: Service,
  address: Address,
  reusePort: boolean,
  hostKeys: readonly string[],
  allowed = patience,
  proxies: Pick<DoorSpec, "trustedProxies" | "proxyProtocol"> = {},
): Door {
  const begin = speakSsh(hostKeys);
  const { host: hostname, port } = address;
  const strangers = new Strangers();
  return host({
    store,
    name: "sftp",
    host: hostname,
    listener: listenTcp({ hostname, port, reusePort }, proxies),
    patience: allowed.stranger,
    begin: (stream, presence) => new Connection(store, stream, begin, presence, allowed, strangers),
    refusals: { refuse, stop: () => Promise.resolve() },
  });
}

/** @throws {BargeError} `fatal` for keys that can't be used */
function speakSsh(hostKeys: readonly string[]): Begin {
  const waiting = new Map<string, (client: Client) => void>();
  try {
    const server = makeServer({ hostKeys, ident: "barge", algorithms });
    // A peer's address and port are its own as long as it is connected.
    server.on("connection", (client, { ip }) => waiting.get(ip)?.(client));
    return (wire: Wire, onClient) => {
      waiting.set(wire.remoteAddress, onClient);
      wire.once("close", () => waiting.delete(wire.remoteAddress));
      server.injectSocket(wire);
    };
  } catch (cause) {
    throw new BargeError("fatal", (cause as Error).message, { op: "use host keys", cause });
  }
}

/** RFC 4253, section 4.2 lets a server say something before its version; clients show it. */
function refuse(stream: Stream): void {
  const text = new TextEncoder().encode("There are too many connections: try again later.\r\n");
  stream.write(text, 1000).catch(() => {/* it is gone */}).finally(() => stream.close());
  log.debug("{peer}: no place", { peer: stream.peer });
}
