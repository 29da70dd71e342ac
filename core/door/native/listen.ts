/** Opens the native door: BARGE/1 on TCP, or on TLS. */
import { getLogger } from "@logtape/logtape";
import { BargeError } from "../../error.ts";
import { type Address, formatAddress } from "../../net/address.ts";
import type { KeyPair } from "../../net/certificate.ts";
import { TlsDoor } from "../../net/listen_tls.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { failure } from "../../protocol/failure.ts";
import type { Service } from "../../login/service.ts";
import type { Door, DoorSpec, Opening } from "../door.ts";
import { host, type Listener } from "../listen.ts";
import { listenTcp } from "../listen_tcp.ts";
import { Connection } from "./connection.ts";
import { type Patience, patience } from "./patience.ts";
import { Refusals } from "../refuse.ts";

const log = getLogger(["barge", "serve"]);
/** The message for a refused connection, in the format of an answer to hello. */
const refusal = encodeFrame(failure(
  new BargeError("unavailable", "there are too many connections", {
    op: "connect",
    hint: "try again later, or end some of your own",
  }),
));

/** @throws as `OpenDoor` */
export function openDoor({ store, spec, reusePort, tls }: Opening): Door {
  return tls
    ? listenNativeTls(store, spec, reusePort, tls)
    : listenNative(store, spec.address, reusePort, patience, spec);
}

/**
 * @param reusePort share the port with other workers
 * @param allowed how long clients may be silent
 * @param proxies those in front of the door
 * @throws {Deno.errors.AddrInUse} and others when it can't listen there
 */
export function listenNative(
  store: Service,
  address: Address,
  reusePort: boolean,
  allowed = patience,
  proxies: Pick<DoorSpec, "trustedProxies" | "proxyProtocol"> = {},
): Door {
  const { host: hostname, port } = address;
  return opened(store, hostname, listenTcp({ hostname, port, reusePort }, proxies), allowed);
}

/**
 * The same with TLS.
 *
 * @param tls the certificate to show
 * @throws as listenNative; {BargeError} `fatal` when the certificate can't be used
 */
function listenNativeTls(
  store: Service,
  spec: DoorSpec,
  reusePort: boolean,
  tls: KeyPair,
): Door {
  const { address } = spec;
  const onFailure = (peer: Address, why: string) => {
    log.debug("no TLS with {peer}: {why}", { peer: formatAddress(peer), why });
  };
  const listen = (options: Deno.TcpListenOptions) => listenTcp(options, spec);
  const listener = new TlsDoor(address, tls, { reusePort, onFailure, listen });
  const door = opened(store, address.host, listener, patience);
  return Object.assign(door, { reload: (pair: KeyPair) => listener.reload(pair) });
}

function opened(store: Service, hostname: string, listener: Listener, allowed: Patience): Door {
  return host({
    name: "native",
    store,
    host: hostname,
    listener,
    patience: allowed.stranger,
    begin: (stream, presence) => new Connection(store, stream, presence, allowed),
    refusals: new Refusals(refusal),
  });
}
