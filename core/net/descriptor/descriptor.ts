/**
 * Descriptors of listening sockets, which the runtime can use (`node:net`, `listen({ fd })`) but neither
 * duplicate nor name. These functions call the C library, so only the supervisor can use them, on Linux.
 *
 * Each worker that listens at a Unix socket, or at a socket of the service manager, needs a descriptor of
 * its own: a worker that stops or dies closes its descriptor, and the others go on.
 */
import { BargeError } from "../../error.ts";
import type { Address } from "../address.ts";

const cLibrary = "libc.so.6";
/** fcntl(2) and getsockname(2) on Linux. */
const [duplicateWithCloseOnExec, setDescriptorFlags, closeOnExec] = [1030, 2, 1];
const [unix, ipv4, ipv6] = [1, 2, 10];
const maxSocketAddressBytes = 128;
/** Descriptors 0 to 2 are the standard streams. */
const firstDescriptor = 3;

const symbols = {
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
} as const;
let library: Deno.DynamicLibrary<typeof symbols> | undefined;

/** Checks that this system has the calls of this module. @throws {BargeError} `unsupported` */
export function requireDescriptors(): void {
  cLibraryCalls();
}

/**
 * Duplicates a descriptor. Programs that this process runs do not inherit the duplicate.
 *
 * @returns a descriptor of the same socket, which its user closes
 * @throws {BargeError} `fatal` when none is left; `unsupported` on other systems than Linux
 */
export function duplicate(fd: number): number {
  const copy = cLibraryCalls().fcntl(fd, duplicateWithCloseOnExec, firstDescriptor);
  if (copy !== -1) return copy;
  throw new BargeError("fatal", "the descriptor cannot be duplicated", {
    op: "listen on",
    path: `descriptor ${fd}`,
    hint: "raise the limit of open files (LimitNOFILE=, ulimit -n)",
  });
}

/** Keeps programs that this process runs from inheriting a descriptor. @throws as {@link duplicate} */
export function keepFromPrograms(fd: number): void {
  cLibraryCalls().fcntl(fd, setDescriptorFlags, closeOnExec);
}

/**
 * Returns the local address of a socket.
 *
 * @returns undefined for a descriptor that is no TCP or Unix socket with a path
 * @throws {BargeError} `unsupported` on other systems than Linux
 */
export function socketAddress(fd: number): Address | undefined {
  const bytes = new Uint8Array(maxSocketAddressBytes);
  const length = new Uint32Array([bytes.length]);
  if (cLibraryCalls().getsockname(fd, bytes, length) !== 0) return undefined;
  return parseSocketAddress(bytes.subarray(0, Math.min(length[0], bytes.length)));
}

/** Parses the C structure of a socket's address (sockaddr(3type)). */
function parseSocketAddress(bytes: Uint8Array): Address | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 2) return undefined;
  const family = bytes[0] | bytes[1] << 8; // Linux runs barge on little-endian machines only
  if (family === ipv4) return { host: bytes.subarray(4, 8).join("."), port: view.getUint16(2) };
  if (family === ipv6) {
    const text = bytes.subarray(8, 24).toHex().match(/..../g)!.join(":");
    const host = new URL(`http://[${text}]`).hostname.slice(1, -1); // its shortest form
    return { host, port: view.getUint16(2) };
  }
  const end = bytes.indexOf(0, 2);
  const path = new TextDecoder().decode(bytes.subarray(2, end === -1 ? undefined : end));
  return family === unix && path !== "" ? { host: `unix:${path}`, port: 0 } : undefined;
}

/** Returns the descriptor of a Unix socket at which this process listens. @throws as {@link duplicate} */
export function descriptorAt(path: string): number {
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    const fd = Number(name);
    if (fd >= firstDescriptor && socketAddress(fd)?.host === `unix:${path}`) return fd;
  }
  throw new BargeError("fatal", "the descriptor of its socket was not found in /proc/self/fd", {
    op: "listen on",
    path,
  });
}

function cLibraryCalls() {
  if (Deno.build.os !== "linux") {
    const why = "the server can use Unix sockets and sockets of a service manager on Linux only";
    throw new BargeError("unsupported", why);
  }
  return (library ??= Deno.dlopen(cLibrary, symbols)).symbols;
}
