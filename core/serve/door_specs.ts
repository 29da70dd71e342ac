/** Decides what each door does, by the operator's options. */
import { type DoorName, doorNames, type DoorSpec, type FtpSpec } from "../door/door.ts";
import { BargeError } from "../error.ts";
import { type Address, socketPathOf } from "../net/address.ts";
import { type AcmeOptions, challengeOf } from "./acme.ts";
import { certificateSource, tlsOf, type TlsOptions } from "./tls_options.ts";

/** The operator's options for doors. */
export interface DoorOptions extends TlsOptions {
  /** The address of each door; null for a door that is off. */
  readonly doors: { readonly [door in DoorName]: Address | null };
  readonly ftp: FtpSpec;
  /** An address that serves the metrics for Prometheus without a login; null: none. */
  readonly metrics?: Address | null;
  /** Proxies in front of the doors, and the URL of the HTTP door behind them. */
  readonly trustedProxies?: readonly string[];
  readonly proxyProtocol?: boolean;
  readonly publicUrl?: string;
  /** Certificates by ACME; undefined: none. */
  readonly acme?: AcmeOptions;
}

/**
 * Returns the doors to open.
 *
 * @throws {BargeError} `usage` for options that exclude each other, or of which one is missing
 */
export function doorSpecs(options: DoorOptions): DoorSpec[] {
  const { metrics, trustedProxies = [], proxyProtocol, publicUrl } = options;
  if (proxyProtocol && trustedProxies.length === 0) {
    const why = "--proxy-protocol needs --trusted-proxy, the addresses that may send headers";
    throw new BargeError("usage", why);
  }
  const front = { trustedProxies, proxyProtocol, publicUrl };
  const doors = doorNames.flatMap((name): DoorSpec[] => {
    const address = options.doors[name];
    if (!address) return [];
    if (socketPathOf(address) !== undefined && name !== "native" && name !== "http") {
      throw new BargeError("usage", `--${name} cannot be a Unix socket`, {
        hint: "--native, --http and --metrics can",
      });
    }
    const ftp = name.startsWith("ftp") ? { ftp: options.ftp } : {};
    return [{ name, address, tls: tlsOf(name, address.host, options), ...ftp, ...front }];
  });
  if (doors.length === 0) throw new BargeError("usage", "every door is off");
  if (metrics) {
    const tls = tlsOf("http", metrics.host, options);
    doors.push({ name: "http", address: metrics, tls, metricsOnly: true });
  }
  certificateSource(securedHosts(doors), options);
  if (!options.acme) return doors;
  if (options.tlsCert !== undefined) {
    throw new BargeError("usage", "--acme and --tls-cert exclude each other");
  }
  return answering(doors, options.acme);
}

/** Returns the doors, which answer challenges, with a listener for challenges if there is one. */
function answering(doors: readonly DoorSpec[], acme: AcmeOptions): DoorSpec[] {
  const challenge = challengeOf(acme, doors);
  const all = doors.map((door): DoorSpec => door.metricsOnly ? door : { ...door, challenge });
  if (!acme.http) return all;
  return [...all, {
    name: "http",
    address: acme.http,
    tls: "off",
    challenge,
    challengesOnly: true,
  }];
}

/** Returns the hosts of the doors with TLS. */
export function securedHosts(doors: readonly DoorSpec[]): string[] {
  return doors.filter(({ tls }) => tls !== "off").map(({ address }) => address.host);
}
