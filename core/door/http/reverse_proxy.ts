/** Finds the client of a request, by the trusted proxies of a door and its public URL. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { getLogger } from "@logtape/logtape";
import {
  type Address,
  bareAddress,
  formatAddress,
  isLoopback,
  socketPathOf,
  unixPeer,
} from "../../net/address.ts";
import { clientOf } from "../../net/forwarded.ts";
import { Networks } from "../../net/networks.ts";
import { parsePublicUrl, type PublicUrl } from "../../net/public_url.ts";
import type { DoorSpec } from "../door.ts";

const log = getLogger(["barge", "serve"]);

export class ReverseProxy {
  readonly publicUrl: PublicUrl | undefined;
  /** The start of the path of every URL; empty for a door at the root of its host. */
  readonly prefix: string;
  /** True if only this machine can connect to the door. */
  readonly loopback: boolean;
  /** True for a door at a Unix socket. */
  readonly #unix: boolean;
  readonly #trusted: Networks;
  readonly #tls: boolean;
  #warned = false;

  /** @throws {BargeError} `usage` */
  constructor({ address, tls, trustedProxies = [], publicUrl }: DoorSpec) {
    this.publicUrl = publicUrl === undefined ? undefined : parsePublicUrl(publicUrl);
    this.prefix = this.publicUrl?.prefix ?? "";
    this.loopback = isLoopback(address.host);
    this.#unix = socketPathOf(address) !== undefined;
    this.#trusted = new Networks(trustedProxies);
    this.#tls = tls !== "off";
  }

  /** Returns the address at the other end of a connection; `?` if the connection is closed already. */
  peerOf({ remoteAddress: host = "?", remotePort: port = 0 }: Socket): Address {
    return this.#unix ? { host: unixPeer, port: 0 } : { host, port };
  }

  /** Returns whether a peer is a trusted proxy. */
  trusts(peer: string): boolean {
    return this.#trusted.has(peer);
  }

  /**
   * Returns the client of a request.
   *
   * @returns its numeric host; its address, with port 0 behind a proxy, which does not report it;
   *   `proxied`: a trusted proxy has passed the request on; `secure`: the client speaks TLS
   */
  clientOf({ socket, headers }: IncomingMessage) {
    const { host: peer, port } = this.peerOf(socket);
    const field = joined(headers["x-forwarded-for"]);
    const proxied = this.#trusted.has(peer);
    if (!proxied) this.#warn(peer, headers);
    const host = clientOf(peer, field, this.#trusted);
    const same = host === peer || host === bareAddress(peer);
    return {
      host,
      address: formatAddress({ host, port: same ? port : 0 }),
      proxied,
      secure: this.#tls || this.#schemeOf(headers, proxied) === "https",
    };
  }

  /** Returns whether a Host field has the host and port of the public URL. */
  isPublic(host: string): boolean {
    return this.publicUrl !== undefined && isHost(this.publicUrl.origin, host);
  }

  /** Returns the scheme that the client has used; undefined if it is unknown. */
  #schemeOf(headers: IncomingMessage["headers"], proxied: boolean): string | undefined {
    // The first value is of the outermost proxy. Forging it only changes the client's own cookies.
    const forwarded = joined(headers["x-forwarded-proto"])?.split(",", 1)[0].trim().toLowerCase();
    if (proxied && forwarded) return forwarded;
    return proxied || this.isPublic(headers.host ?? "") ? this.publicUrl?.scheme : undefined;
  }

  /** Logs once that a proxy on this machine is not trusted. */
  #warn(peer: string, headers: IncomingMessage["headers"]): void {
    if (this.#warned || !isLoopback(bareAddress(peer))) return;
    if (!Object.keys(headers).some((name) => name.startsWith("x-forwarded-"))) return;
    this.#warned = true;
    log.warn(
      "requests from {peer} have X-Forwarded- headers, which are ignored because {peer} is not a " +
        "trusted proxy, so all its clients count as one: run barge serve with --trusted-proxy {peer}",
      { peer: bareAddress(peer) },
    );
  }
}

function joined(field: string | string[] | undefined): string | undefined {
  return Array.isArray(field) ? field.join(",") : field;
}

/**
 * Returns whether a URL has the host of a Host header. Ignores case and the default port of the
 * scheme, which clients omit and proxies add.
 *
 * @example
 * ```ts
 * import { isHost } from "./reverse_proxy.ts";
 * if (!isHost("https://a.example", "A.example:443")) throw new Error();
 * if (isHost("http://a.example", "a.example:443") || isHost("null", "null")) throw new Error();
 * ```
 */
export function isHost(url: string, host: string | undefined): boolean {
  const [, scheme, authority] = /^(https?):\/\/([^/?#]+)/i.exec(url) ?? [];
  if (authority === undefined || host === undefined) return false;
  const port = scheme.toLowerCase() === "https" ? /:443$/ : /:80$/;
  const bare = (host: string) => host.trim().toLowerCase().replace(/^[^@]*@/, "").replace(port, "");
  return bare(authority) === bare(host);
}
