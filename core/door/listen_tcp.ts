/** Listens for a door on TCP, behind a proxy where the operator says so. */
import { getLogger } from "@logtape/logtape";
import { type Address, formatAddress } from "../net/address.ts";
import { type ConnListener, ProxiedListener } from "../net/listen_proxied.ts";
import { Networks } from "../net/networks.ts";
import type { DoorSpec } from "./door.ts";

const log = getLogger(["barge", "serve"]);
/** A proxy without headers is logged once in this time, in ms. */
const logEvery = 60_000;
let logged = -Infinity;

/**
 * @param options where to listen
 * @param spec of the door: with `proxyProtocol`, trusted proxies have to send PROXY headers
 * @throws {Deno.errors.AddrInUse} and others when it can't listen there
 */
export function listenTcp(
  options: Deno.TcpListenOptions,
  { trustedProxies = [], proxyProtocol }: Pick<DoorSpec, "trustedProxies" | "proxyProtocol">,
): ConnListener {
  const trusted = new Networks(trustedProxies);
  const listener = Deno.listen(options);
  if (!proxyProtocol || trusted.empty) return listener;
  return new ProxiedListener(listener, { trusted, onFailure: warn });
}

function warn(peer: Address, why: string): void {
  const now = performance.now();
  if (now - logged < logEvery) return;
  logged = now;
  log.warn("a connection from {peer}, which --trusted-proxy names, was refused: {why}", {
    peer: formatAddress(peer),
    why,
  });
}
