/**
 * The addresses that a worker may connect to: none, unless the operator turned FTP's active mode on.
 * Clients may be anywhere, so that mode allows all of IPv4 but this machine's own addresses, link-local
 * ones (where clouds keep secrets), multicast and reserved ones. IPv6 stays closed: the runtime's
 * permissions have no IPv6 ranges, and EPSV needs none.
 */
import type { DoorSpec } from "../door/door.ts";

/** An IPv4 range: its first address as a number, and the length of the common prefix in bits. */
type Range = readonly [first: number, bits: number];

const forbidden: readonly Range[] = [
  [ipv4("0.0.0.0"), 8], // 0.0.0.0 connects to this machine
  [ipv4("127.0.0.0"), 8],
  [ipv4("169.254.0.0"), 16],
  [ipv4("224.0.0.0"), 3],
];

/**
 * Returns the addresses in the syntax of the runtime's permissions.
 *
 * @param known this machine's addresses; by default they are read if a door needs them
 */
export function outgoingAddresses(
  doors: readonly DoorSpec[],
  known?: readonly string[],
): string[] {
  const specs = doors.flatMap(({ ftp }) => ftp ? [ftp] : []);
  if (!specs.some(({ active, activeLoopback }) => active || activeLoopback)) return [];
  const own = known ?? ownAddresses();
  const addresses: string[] = [];
  if (specs.some(({ activeLoopback }) => activeLoopback)) {
    const hosts = own.map((host) => host.includes(":") ? `[${host}]` : host);
    addresses.push("127.0.0.0/8", "[::1]", ...hosts);
  }
  if (specs.some(({ active }) => active)) {
    const ownIpv4 = own.filter((host) => !host.includes(":"));
    const holes = [...forbidden, ...ownIpv4.map((host): Range => [ipv4(host), 32])];
    addresses.push(...without(holes).map(([first, bits]) => `${dotted(first)}/${bits}`));
  }
  return [...new Set(addresses)];
}

/** Returns the addresses of this machine, without zones. */
function ownAddresses(): string[] {
  return Deno.networkInterfaces().map(({ address }) => address.split("%")[0]);
}

/** Returns the fewest ranges that cover a range, by default all of IPv4, except the holes. */
function without(holes: readonly Range[], [first, bits]: Range = [0, 0]): Range[] {
  const end = first + 2 ** (32 - bits);
  const overlapping = holes.filter(([hole, holeBits]) =>
    hole < end && first < hole + 2 ** (32 - holeBits)
  );
  if (overlapping.length === 0) return [[first, bits]];
  if (overlapping.some(([hole, holeBits]) => holeBits <= bits && hole <= first)) return [];
  const middle = first + 2 ** (31 - bits);
  return [...without(overlapping, [first, bits + 1]), ...without(overlapping, [middle, bits + 1])];
}

function ipv4(text: string): number {
  return text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}
