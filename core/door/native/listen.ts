/** Opens the native door: BARGE/1 on TCP, or on TLS. */
import { getLogger } from "@logtape/logtape";
import { BargeError } from "../../error.ts";
import { type Address, formatAddress } from "../../net/address.ts";
import type { KeyPair } from "../../net/certificate.ts";
import { TlsListener } from "../../net/listen_tls.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { failure } from "../../protocol/failure.ts";
import { challengeFinder } from "../challenge.ts";
import type { Door, Opening } from "../door.ts";
import { host } from "../listen.ts";
import { listenTcp } from "../listen_tcp.ts";
import { Connection } from "./connection.ts";
import { defaultTimeouts, type Timeouts } from "./timeouts.ts";
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
export function openDoor(
  { store, spec, reusePort, tls }: Opening,
  timeouts: Timeouts = defaultTimeouts,
): Door {
  const { host: hostname, port } = spec.address;
  const onFailure = (peer: Address, why: string) => {
    log.debug("no TLS with {peer}: {why}", { peer: formatAddress(peer), why });
  };
  const listen = (options: Deno.TcpListenOptions) => listenTcp(options, spec);
  const findChallenge = challengeFinder(store, spec);
  const tlsOptions = { reusePort, onFailure, listen, findChallenge };
  const secure = tls && new TlsListener(spec.address, tls, tlsOptions);
  const door = host({
    name: "native",
    store,
    host: hostname,
    listener: secure ?? listen({ hostname, port, reusePort }),
    idleTimeoutMs: timeouts.beforeLogin,
    begin: (stream, presence) => new Connection(store, stream, presence, timeouts),
    refusals: new Refusals(refusal),
  });
  return secure ? Object.assign(door, { reload: (pair: KeyPair) => secure.reload(pair) }) : door;
}
