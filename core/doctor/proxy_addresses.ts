/** Checks that a proxy in front of the HTTP door may state the addresses of its clients. */
import { formatAddress, isLoopback, socketPathOf, unixPeer } from "../net/address.ts";
import type { Verdict } from "./finding.ts";
import type { Setup } from "./setup.ts";

/** Returns a verdict if the HTTP door is behind a proxy; else none. */
export function checkProxyAddresses({ doors, publicUrl }: Setup): Verdict[] {
  const http = doors.find(({ name, metricsOnly, challengesOnly }) =>
    name === "http" && !metricsOnly && !challengesOnly
  );
  if (!http || publicUrl === undefined) return [];
  if (http.trustedProxies?.length) {
    return [{
      severity: "ok",
      message: "The proxy of --public-url may state its clients' addresses.",
    }];
  }
  if (!isLoopback(http.address.host)) return [];
  const message = `The HTTP door on ${formatAddress(http.address)} is reached at ${publicUrl} ` +
    "through a proxy, and takes all clients for one address.";
  const peer = socketPathOf(http.address) === undefined ? "127.0.0.1" : unixPeer;
  const advice = `Name the proxy with --trusted-proxy ${peer}, and let it send X-Forwarded-For; ` +
    "bans and limits of addresses then hold for each client.";
  return [{ severity: "warn", message, advice }];
}
