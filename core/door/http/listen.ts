/**
 * Opens the HTTP door.
 *
 * It uses Node's server. `Deno.serve` shows no connections, so neither the gate nor a timeout could apply
 * to a client that never completes a head. It also resolves `..` in paths before they can be refused,
 * and must be reopened for a renewed certificate. Measured with one worker, Node's against Deno's: 2.3 and
 * 1.5 GB/s for a download of 1 GiB, 1.1 and 1.0 GB/s for an upload, 24,000 and 37,000 small responses a
 * second.
 */
import { createServer } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { KeyPair } from "../../net/certificate.ts";
import { useCertificate } from "../../net/accept_tls.ts";
import { challengeFinder } from "../challenge.ts";
import type { Door, Opening } from "../door.ts";
import { makeApp } from "./app.ts";
import { RememberedLogins } from "./auth.ts";
import { lookBeforeTls } from "./before_tls.ts";
import type { Doorway } from "./exchange.ts";
import { ReverseProxy } from "./reverse_proxy.ts";
import { Connections } from "./connections.ts";
import { cookieLogin } from "./page/view.ts";
import { maxParsedHeadBytes } from "./refuse.ts";
import { defaultTimeouts, type Timeouts } from "./watchdog.ts";

const timeoutCheckMs = 1000;
const handshakeTimeoutMs = 10_000;

/** Opens the door with the default timeouts. @throws as `OpenDoor` */
export async function openDoor(opening: Opening): Promise<Door> {
  return await listenHttp(opening, defaultTimeouts);
}

/** @throws as `OpenDoor` */
export async function listenHttp(opening: Opening, timeouts: Timeouts): Promise<Door> {
  const { store, spec, reusePort, tls } = opening;
  const scheme = tls ? "https" : "http";
  const doorway: Doorway = {
    store,
    scheme,
    proxy: new ReverseProxy(spec),
    logins: new RememberedLogins(store, cookieLogin),
    timeouts,
    challenges: spec.challenge !== undefined,
    stopping: false,
    cut: new AbortController(),
  };
  const options = {
    maxHeaderSize: maxParsedHeadBytes,
    requireHostHeader: false, // checkHead refuses with a problem
    headersTimeout: timeouts.headMs,
    requestTimeout: 0, // the watchdog checks each piece of a body
    keepAliveTimeout: timeouts.idleMs,
    connectionsCheckingInterval: timeoutCheckMs,
    noDelay: true,
    allowHalfOpen: true, // for TLS; the plain server always allows it
  };
  const server = tls
    ? useCertificate(() => createTlsServer({ ...options, ...tlsOptions(tls) }))
    : createServer(options);
  if (tls) lookBeforeTls(server as TlsServer, challengeFinder(store, spec), handshakeTimeoutMs);
  // A client may end its side after its last request, and wait (RFC 9112, section 9.6).
  Object.assign(server, { httpAllowHalfOpen: true });
  const connections = new Connections(server, doorway, makeApp(spec));
  const { address: { host, port }, descriptor } = spec;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(descriptor === undefined ? { host, port, reusePort } : { fd: descriptor }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const reload = (pair: KeyPair) => {
    useCertificate(() => (server as TlsServer).setSecureContext(tlsOptions(pair)));
  };
  return {
    address: { host, port: (server.address() as { port: number } | null)?.port ?? port },
    get connections() {
      return connections.count;
    },
    stop: (grace) => connections.stop(grace),
    reload: tls ? reload : undefined,
  };
}

function tlsOptions({ cert, key }: KeyPair) {
  return {
    cert,
    key,
    ALPNProtocols: ["http/1.1"],
    minVersion: "TLSv1.2" as const,
    handshakeTimeout: handshakeTimeoutMs,
  };
}
