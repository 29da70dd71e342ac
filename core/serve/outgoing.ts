/**
 * The addresses that a worker may connect to: none, unless the operator turned FTP's active mode on.
 * Of clients elsewhere nobody knows where they are, so that mode opens IPv4 as a whole, without this
 * machine's own addresses, link-local ones (where clouds keep secrets), multicast and reserved ones.
 * IPv6 stays closed: the runtime has no ranges of it, and EPSV needs none.
 */
import type { DoorSpec } from "../door/door.ts";

/** An IPv4 range: its first address as a number, and how many bits all of it have in common. */
type Range = readonly [first: number, bits: number];

const never: readonly Range[] = [
  [ipv4("0.0.0.0"), 8], // also this machine, where an address is to be connected to
  [ipv4("127.0.0.0"), 8],
  [ipv4("169.254.0.0"), 16],
  [ipv4("224.0.0.0"), 3],
];

/**
 * Returns what may be connected to, as the runtime's permissions name it.
 *
 * @param own this machine's addresses
 */
export function outgoing(
  doors: readonly DoorSpec[],
  own: readonly string[] = ownAddresses(),
): string[] {
  const specs = doors.flatMap(({ ftp }) => ftp ? [ftp] : []);
  const found: string[] = [];
  if (specs.some(({ activeLoopback }) => activeLoopback)) {
    const hosts = own.map((host) => host.includes(":") ? `[${host}]` : host);
    found.push("127.0.0.0/8", "[::1]", ...hosts);
  }
  if (specs.some(({ active }) => active)) {
    const here = own.filter((host) => !host.includes(":")).map((host) => [ipv4(host), 32] as const);
    found.push(...without([...never, ...here]).map(([first, bits]) => `${dotted(first)}/${bits}`));
  }
  return [...new Set(found)];
}

/** The addresses of this machine, without zones. */
function ownAddresses(): string[] {
  return Deno.networkInterfaces().map(({ address }) => address.split("%")[0]);
}

/** All of IPv4 but some ranges, in the fewest ranges. */
function without(holes: readonly Range[], [first, bits]: Range = [0, 0]): Range[] {
  const end = first + 2 ** (32 - bits);
  const inside = holes.filter(([at, narrow]) => at < end && first < at + 2 ** (32 - narrow));
  if (inside.length === 0) return [[first, bits]];
  if (inside.some(([at, narrow]) => narrow <= bits && at <= first)) return [];
  const middle = first + 2 ** (31 - bits);
  return [...without(inside, [first, bits + 1]), ...without(inside, [middle, bits + 1])];
}

function ipv4(text: string): number {
  return text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}
