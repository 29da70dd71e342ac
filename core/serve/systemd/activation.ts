/**
 * Sockets that the service manager has opened for this server (sd_listen_fds(3)): descriptors from 3 on,
 * which listen already. They stay open while the server is stopped, and new connections wait in their
 * backlog for the next start.
 */
import { type DoorName, doorNames, type DoorSpec } from "../../door/door.ts";
import { BargeError } from "../../error.ts";
import { type Address, bareAddress, formatAddress } from "../../net/address.ts";
import { keepFromPrograms, socketAddress } from "../../net/descriptor/descriptor.ts";
import type { DoorOptions } from "../door_specs.ts";

const firstDescriptor = 3;
const variables = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

/** A socket that listens already. */
export interface InheritedSocket {
  readonly descriptor: number;
  /** FileDescriptorName= of its unit, by default the name of the unit. */
  readonly name: string;
  readonly address: Address;
}

/**
 * Returns the sockets that the service manager passed to this process, and removes the variables that name
 * them, so that no program inherits them.
 *
 * @throws {BargeError} `usage` for a descriptor that is no TCP or Unix socket; `unsupported` on other
 *   systems than Linux
 */
export function takeInheritedSockets(): InheritedSocket[] {
  const [pid, count = "", names = ""] = variables.map((name) => Deno.env.get(name));
  for (const name of variables) if (pid !== undefined) Deno.env.delete(name);
  if (pid === undefined || Number(pid) !== Deno.pid) return [];
  const named = names.split(":");
  return Array.from({ length: Number(count) || 0 }, (_, i) => {
    const descriptor = firstDescriptor + i;
    const address = socketAddress(descriptor);
    if (!address) throw refusal(descriptor, "it is no TCP socket and no Unix socket with a path");
    keepFromPrograms(descriptor);
    return { descriptor, name: named[i] ?? "", address };
  });
}

/**
 * Gives each door that a socket is named for the address of the socket. Names are those of the doors'
 * options: `native`, `http`, `metrics` ...
 *
 * @throws {BargeError} `usage` for the name of a door that is off
 */
export function placeDoors<Options extends Pick<DoorOptions, "doors" | "metrics">>(
  options: Options,
  sockets: readonly InheritedSocket[],
): Options {
  const doors: { [door in DoorName]: Address | null } = { ...options.doors };
  let { metrics } = options;
  for (const { name, address, descriptor } of sockets) {
    const door = doorNames.find((door) => door === name);
    if (!door && name !== "metrics") continue;
    if (!(door ? doors[door] : metrics)) {
      throw refusal(descriptor, `its name is ${name}, and --${name} is off`);
    }
    if (door) doors[door] = address;
    else metrics = address;
  }
  return { ...options, doors, metrics };
}

/**
 * Gives each socket to the door at its address.
 *
 * @throws {BargeError} `usage` for a socket that no door takes
 */
export function assignSockets(
  specs: readonly DoorSpec[],
  sockets: readonly InheritedSocket[],
): DoorSpec[] {
  const descriptors = new Map<DoorSpec, number>();
  for (const { descriptor, address, name } of sockets) {
    const spec = specs.find((spec) =>
      spec.address.port === address.port && !descriptors.has(spec) &&
      bareAddress(spec.address.host) === bareAddress(address.host)
    );
    if (!spec) {
      const label = name && ` (${name})`;
      throw refusal(descriptor, `no door is at ${formatAddress(address)}${label}`);
    }
    descriptors.set(spec, descriptor);
  }
  return specs.map((spec) => ({ ...spec, descriptor: descriptors.get(spec) }));
}

function refusal(descriptor: number, why: string): BargeError {
  return new BargeError("usage", why, {
    op: "use the service manager's socket",
    path: `descriptor ${descriptor}`,
    hint:
      "ListenStream= must be the address of a door, or FileDescriptorName= the name of its option",
  });
}
