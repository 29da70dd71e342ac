/** Finds the client behind reverse proxies by the X-Forwarded-For field of a request. */
import { isIP } from "node:net";
import { bareAddress } from "./address.ts";
import { isNameable, type Networks } from "./networks.ts";

/**
 * Returns the client's address: the last hop that is no trusted proxy. Each proxy appends the
 * address of its peer, so the field is read from its end, and only the part that trusted proxies
 * have written; a client may have forged the rest.
 *
 * @param peer the address at the other end of the connection
 * @param field all X-Forwarded-For fields of the request, joined with commas
 * @returns the peer, unless it is trusted and names another address. If a trusted proxy names no valid
 *   address, the address of that proxy
 *
 * @example
 * ```ts
 * import { clientOf } from "./forwarded.ts";
 * import { Networks } from "./networks.ts";
 * const trusted = new Networks(["127.0.0.1", "10.0.0.0/8"]);
 * const client = clientOf("127.0.0.1", "192.0.2.66, 203.0.113.9, 10.0.0.4", trusted);
 * if (client !== "203.0.113.9") throw new Error(client);
 * if (clientOf("192.0.2.1", "203.0.113.9", trusted) !== "192.0.2.1") throw new Error();
 * ```
 */
export function clientOf(peer: string, field: string | undefined, trusted: Networks): string {
  let client = peer;
  const hops = field?.split(",") ?? [];
  while (hops.length > 0 && trusted.has(client)) {
    const hop = addressOf(hops.pop()!.trim());
    if (hop === undefined || !isNameable(hop, client)) break;
    client = hop;
  }
  return client;
}

/** Parses a hop. Some proxies append a port, and put an IPv6 address in brackets. */
function addressOf(hop: string): string | undefined {
  const bare = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(hop)?.[1] ??
    /^(\d[\d.]*)(?::\d{1,5})?$/.exec(hop)?.[1] ?? hop;
  return isIP(bare) === 0 ? undefined : bareAddress(bare);
}
