/**
 * Whether a server's certificate is trusted, as ssh does it: on first use, and then that one only.
 *
 *   demanded (--pin)  it must be that one; nothing is looked up or kept
 *   pinned            it must be one that is pinned, whoever else vouches for another
 *   vouched for       an authority that this machine knows vouches for it: nothing to keep
 *   unknown           it is pinned, and somebody is told
 */
import { BargeError } from "../error.ts";
import { type Address, formatAddress, isLoopback } from "./address.ts";
import type { PresentedCertificate } from "./dial_tls.ts";
import type { Fingerprint } from "./fingerprint.ts";
import { addPin, type Pin, readPins, serverName } from "./known_hosts.ts";

export interface Trust {
  /** Where pins are kept; undefined: there is no such place, so unknown servers are refused. */
  readonly knownHosts: string | undefined;
  /** The certificate that it must be. */
  readonly pin?: Fingerprint;
  /** Told when a server was trusted on first use. */
  readonly onPinned?: (server: string, fingerprint: Fingerprint) => void;
}

/**
 * Should a connection be encrypted? To others always, unless told not to; on this machine only if
 * told so.
 *
 * @param host where the server listens, or is dialed
 * @throws {BargeError} `usage` when told both
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
 * Returns if the server is to be trusted.
 *
 * @throws {BargeError} `identity` if it is not
 */
export async function decide(
  address: Address,
  shown: PresentedCertificate,
  trust: Trust,
): Promise<void> {
  const { knownHosts, pin, onPinned } = trust;
  if (pin !== undefined) return demand(address, shown, pin);
  const pins = knownHosts === undefined ? [] : await readPins(knownHosts, address);
  if (pins.length > 0) return compare(address, shown, pins, knownHosts);
  if (shown.vouched) return;
  checkNew(address, shown);
  if (knownHosts === undefined) {
    throw refuse(
      address,
      `its certificate ${shown.fingerprint} is unknown, and no place to keep it`,
      {
        hint: `set HOME or XDG_CONFIG_HOME, or use --pin ${shown.fingerprint}`,
      },
    );
  }
  const now = await addPin(knownHosts, address, shown.fingerprint);
  compare(address, shown, now, knownHosts);
  onPinned?.(serverName(address), shown.fingerprint);
}

function demand(address: Address, shown: PresentedCertificate, pin: Fingerprint): void {
  if (shown.fingerprint === pin) return;
  throw refuse(address, `its certificate is ${shown.fingerprint}, not ${pin}, which --pin demands`);
}

function compare(
  address: Address,
  shown: PresentedCertificate,
  pins: readonly Pin[],
  path?: string,
): void {
  if (pins.some(({ fingerprint }) => fingerprint === shown.fingerprint)) return;
  const [{ fingerprint, since }] = pins;
  const why = `its certificate is ${shown.fingerprint}, but ${fingerprint} was pinned` +
    `${since && ` on ${since.slice(0, 10)}`}: someone may be posing as it`;
  throw refuse(address, why, {
    hint: `if its operator confirms the new one: barge cert --forget ${serverName(address)}` +
      `${path === undefined ? "" : `; the pins are in ${path}`}`,
  });
}

/** Refuses to pin a certificate that has expired; one that is pinned already may expire. */
function checkNew(address: Address, { from, until }: PresentedCertificate): void {
  const now = new Date();
  if (from <= now && now <= until) return;
  const day = (date: Date) => date.toISOString().slice(0, 10);
  const when = until < now ? `ended on ${day(until)}` : `begins on ${day(from)}`;
  throw refuse(address, `its certificate ${when}`, { hint: "ask its operator for a new one" });
}

function refuse(address: Address, why: string, facts: { hint?: string } = {}): BargeError {
  return new BargeError("identity", why, {
    op: "connect to",
    path: formatAddress(address),
    ...facts,
  });
}
