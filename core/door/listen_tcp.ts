/** Listens for a door on TCP or at a descriptor, also behind a proxy. */
import { getLogger } from "@logtape/logtape";
import { type Address, formatAddress } from "../net/address.ts";
import { listenDescriptor } from "../net/descriptor/listen.ts";
import { ProxiedListener } from "../net/listen_proxied.ts";
import type { ConnListener } from "../net/prepared_listener.ts";
import { Networks } from "../net/networks.ts";
import type { DoorSpec } from "./door.ts";

const log = getLogger(["barge", "serve"]);
/** A trusted proxy that sends no header is logged at most once in this time. */
const logIntervalMs = 60_000;
let logged = -Infinity;

/**
 * Listens; with `proxyProtocol`, trusted proxies must send PROXY headers.
 *
 * @param options the address; not used with a descriptor
 * @throws {Deno.errors.AddrInUse} and others when it can't listen there
 */
export function listenTcp(
  options: Deno.TcpListenOptions,
  { trustedProxies = [], proxyProtocol, descriptor }: Pick<
    DoorSpec,
    "trustedProxies" | "proxyProtocol" | "descriptor"
  >,
): ConnListener {
  const trusted = new Networks(trustedProxies);
  const listener = descriptor === undefined ? Deno.listen(options) : listenDescriptor(descriptor);
  if (!proxyProtocol || trusted.empty) return listener;
  return new ProxiedListener(listener, { trusted, onFailure: warn });
}

function warn(peer: Address, why: string): void {
  if (performance.now() - logged < logIntervalMs) return;
  logged = performance.now();
  log.warn("a connection from {peer}, which --trusted-proxy names, was refused: {why}", {
    peer: formatAddress(peer),
    why,
  });
}
