/**
 * Opens the HTTP door.
 *
 * On Node's server, not on `Deno.serve`: that shows no connection, only requests. It waits for the
 * head of a request for ever (a connection that sends a byte a minute stays), so that neither the
 * gate nor a deadline could hold there; it resolves `..` in paths before they can be refused; and to
 * show a renewed certificate it has to be opened anew. Measured on the machine that this was written
 * on, one worker: 2.3 against 1.5 GB/s for a download of 1 GiB, 1.1 against 1.0 for an upload, 24,000
 * against 37,000 small answers a second.
 *
 *   open -> stopping -> stopped
 */
import { createServer } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { KeyPair } from "../../net/certificate.ts";
import { usable } from "../../net/accept_tls.ts";
import type { Door, Opening } from "../door.ts";
import { makeApp, makeMetricsApp } from "./app.ts";
import { RememberedLogins } from "./auth.ts";
import type { Doorway } from "./exchange.ts";
import { Front } from "./front.ts";
import { Hosting } from "./connections.ts";
import { cookieLogin } from "./page/view.ts";
import { longestRead } from "./refuse.ts";
import { type Patience, patience } from "./watchdog.ts";

const checkEvery = 1000;
/** A TLS handshake must be done in so many ms. */
const handshakeTimeout = 10_000;

/** As the operator asks for it. @throws as `OpenDoor` */
export async function openDoor(opening: Opening): Promise<Door> {
  return await listenHttp(opening, patience);
}

/** @param allowed how long clients may take @throws as `OpenDoor` */
export async function listenHttp(opening: Opening, allowed: Patience): Promise<Door> {
  const { store, spec, reusePort, tls } = opening;
  const scheme = tls ? "https" : "http";
  const doorway: Doorway = {
    store,
    scheme,
    front: new Front(spec),
    logins: new RememberedLogins(store, cookieLogin),
    patience: allowed,
    stopping: false,
    cut: new AbortController(),
  };
  const options = {
    maxHeaderSize: longestRead,
    requireHostHeader: false, // told by parseHead
    headersTimeout: allowed.head,
    requestTimeout: 0, // each piece of a body has a deadline of its own
    keepAliveTimeout: allowed.idle,
    connectionsCheckingInterval: checkEvery,
    noDelay: true,
    allowHalfOpen: true, // needed for TLS; the plain server allows it anyway
  };
  const server = tls
    ? usable(() => createTlsServer({ ...options, ...secured(tls) }))
    : createServer(options);
  // A client that has sent its last request may end its side and wait (RFC 9112, section 9.6).
  Object.assign(server, { httpAllowHalfOpen: true });
  const hosting = new Hosting(server, doorway, spec.metricsOnly ? makeMetricsApp() : makeApp());
  const { host, port } = spec.address;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, reusePort }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const reload = (pair: KeyPair) => {
    usable(() => (server as TlsServer).setSecureContext(secured(pair)));
  };
  return {
    address: { host, port: (server.address() as { port: number }).port },
    get connections() {
      return hosting.connections;
    },
    stop: (grace) => hosting.stop(grace),
    ...tls ? { reload } : {},
  };
}

function secured({ cert, key }: KeyPair) {
  return {
    cert,
    key,
    ALPNProtocols: ["http/1.1"],
    minVersion: "TLSv1.2" as const,
    handshakeTimeout,
  };
}
