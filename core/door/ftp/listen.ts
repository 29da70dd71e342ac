/** Opens the FTP door, where a client may ask for TLS, or the FTPS door, where TLS is implicit. */
import { type ServerIdentity, serverIdentity } from "../../net/accept_tls.ts";
import type { KeyPair } from "../../net/certificate.ts";
import type { Door, Opening } from "../door.ts";
import { Tickets } from "../../net/tls_tickets.ts";
import { host } from "../listen.ts";
import { listenTcp } from "../listen_tcp.ts";
import { Refusals } from "../refuse.ts";
import { Control } from "./control.ts";
import { defaultTimeouts } from "./timeouts.ts";
import { encodeReply, reply } from "./reply.ts";

/** The protocol names that a client may offer in the TLS handshake (RFC 7301). */
const protocols = ["ftp", "x-filezilla-ftp"];
const refusal = encodeReply(reply(421, "There are too many connections; try again later"));

/** @throws as `OpenDoor` */
export function openDoor(
  { store, spec, reusePort, tls }: Opening,
  timeouts = defaultTimeouts,
): Promise<Door> {
  let certificate: ServerIdentity | undefined = tls && serverIdentity(tls, protocols);
  const { host: hostname, port } = spec.address;
  const ftpSpec = { ...spec, ftp: spec.ftp! };
  const shared = {
    spec: ftpSpec,
    timeouts,
    certificate: () => certificate,
    tickets: new Tickets(),
  };
  const door = host({
    name: spec.name,
    store,
    host: hostname,
    listener: listenTcp({ hostname, port, reusePort }, spec),
    idleTimeoutMs: timeouts.beforeLogin,
    begin: (stream, presence, local) => new Control(shared, store, stream, presence, local),
    refusals: new Refusals(refusal),
  });
  const reload = (pair: KeyPair) => void (certificate = serverIdentity(pair, protocols));
  return Promise.resolve(Object.assign(door, { reload }));
}
