/**
 * Decides whether to trust a server's certificate. As with ssh, a client trusts the certificate that it sees
 * on the first connection, and later only that one.
 *
 *   demanded (--pin)  the certificate must be this one; the file of pins is neither read nor changed
 *   pinned            it must be one of the pinned ones, even if an authority has issued another one
 *   vouched for       an authority that this machine trusts has issued it: nothing is pinned
 *   unknown           it is pinned, and `onPinned` is called
 */
import { BargeError } from "../error.ts";
import { type Address, formatAddress, isLoopback } from "./address.ts";
import type { PresentedCertificate } from "./dial_tls.ts";
import type { Fingerprint } from "./fingerprint.ts";
import { addPin, type Pin, readPins, serverName } from "./known_hosts.ts";

export interface Trust {
  /** The path of the file of pins; undefined for none: unknown servers are then refused. */
  readonly knownHosts: string | undefined;
  /** The only certificate to accept. */
  readonly pin?: Fingerprint;
  /** The hint for a server that does not speak TLS. Default: to use --plaintext. */
  readonly plainHint?: string;
  /** Called when a server was trusted on first use. */
  readonly onPinned?: (server: string, fingerprint: Fingerprint) => void;
}

/**
 * Returns whether a connection uses TLS: by default to other machines only.
 *
 * @param host the address that the server listens on, or that a client dials
 * @throws {BargeError} `usage` when both options are set
 *
 * @example
 * ```ts
 * import { usesTls } from "./trust.ts";
 * if (usesTls("127.0.0.1") || !usesTls("box")) throw new Error();
 * if (!usesTls("::1", { tls: true }) || usesTls("box", { plaintext: true })) throw new Error();
 * ```
 */
export function usesTls(
  host: string,
  { tls = false, plaintext = false }: { readonly tls?: boolean; readonly plaintext?: boolean } = {},
): boolean {
  if (tls && plaintext) throw new BargeError("usage", "--tls and --plaintext exclude each other");
  return tls || !plaintext && !isLoopback(host);
}

/**
 * Returns the option that a printed command needs to connect with TLS, or without: ` --tls`, ` --plaintext`, or "".
 *
 * @param byDefault whether the command uses TLS without an option
 *
 * @example
 * ```ts
 * import { tlsOption, usesTls } from "./trust.ts";
 * if (tlsOption(true, usesTls("127.0.0.1")) !== " --tls") throw new Error();
 * if (tlsOption(false, usesTls("box")) !== " --plaintext") throw new Error();
 * if (tlsOption(true, usesTls("box")) !== "") throw new Error();
 * ```
 */
export function tlsOption(tls: boolean, byDefault: boolean): string {
  if (tls === byDefault) return "";
  return tls ? " --tls" : " --plaintext";
}

/** Checks that a server is trusted. @throws {BargeError} `identity` if it is not */
export async function decide(
  address: Address,
  shown: PresentedCertificate,
  { knownHosts, pin, onPinned }: Trust,
): Promise<void> {
  const { fingerprint } = shown;
  if (pin !== undefined) {
    if (fingerprint === pin) return;
    throw refusal(address, `its certificate is ${fingerprint}, not ${pin}, which --pin demands`);
  }
  const pins = knownHosts === undefined ? [] : readPins(knownHosts, address);
  if (pins.length > 0) return comparePins(address, fingerprint, pins, knownHosts!);
  if (shown.vouched) return;
  checkTime(address, shown);
  if (knownHosts === undefined) {
    const why = `its certificate ${fingerprint} is unknown, and there is no file to pin it in`;
    throw refusal(address, why, `set HOME or XDG_CONFIG_HOME, or use --pin ${fingerprint}`);
  }
  const added = await addPin(knownHosts, address, fingerprint);
  comparePins(address, fingerprint, added, knownHosts);
  onPinned?.(serverName(address), fingerprint);
}

function comparePins(
  address: Address,
  shown: Fingerprint,
  pins: readonly Pin[],
  path: string,
): void {
  if (pins.some(({ fingerprint }) => fingerprint === shown)) return;
  const [{ fingerprint, since }] = pins;
  const why = `its certificate is ${shown}, but ${fingerprint} was pinned` +
    `${since && ` on ${since.slice(0, 10)}`}: someone may be posing as it`;
  const forget = `barge cert --forget ${serverName(address)}; the pins are in ${path}`;
  throw refusal(address, why, `if its operator confirms the new one: ${forget}`);
}

/** Checks the time of a certificate before it is pinned; a pinned one may expire. */
function checkTime(address: Address, { from, until }: PresentedCertificate): void {
  const now = new Date();
  if (from <= now && now <= until) return;
  const day = (date: Date) => date.toISOString().slice(0, 10);
  const when = until < now ? `ended on ${day(until)}` : `begins on ${day(from)}`;
  throw refusal(address, `its certificate ${when}`, "ask its operator for a new one");
}

function refusal(address: Address, why: string, hint?: string): BargeError {
  return new BargeError("identity", why, { op: "connect to", path: formatAddress(address), hint });
}
