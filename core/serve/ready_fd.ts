/**
 * `--ready-fd N`: writes one line to a descriptor that the caller left open and closes it, for s6 and
 * other supervisors. The runtime can write to an inherited descriptor and close it only if it is a pipe or a
 * socket. A file or terminal is opened again through /dev/fd: the new descriptor is closed, and the inherited
 * one stays open.
 */
import { once } from "node:events";
import { Socket } from "node:net";
import { BargeError, typed } from "../error.ts";

const readerTimeoutMs = 5_000;
const closeOnExec = 0o2000000;

/**
 * Checks that the caller opened a descriptor. Closing a descriptor that the runtime opened for itself
 * would crash the process.
 *
 * @throws {BargeError} `usage`
 */
export function checkReadyFd(fd: number): void {
  if (Deno.build.os === "windows") {
    throw new BargeError("usage", "--ready-fd does not work on Windows");
  }
  try {
    Deno.statSync(`/dev/fd/${fd}`);
    if (Deno.build.os !== "linux") return;
    // Descriptors that this process opened itself are close-on-exec; inherited ones can't be.
    const info = Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`);
    const flags = parseInt(/^flags:\s*([0-7]+)/m.exec(info)?.[1] ?? "0", 8);
    if ((flags & closeOnExec) === 0) return;
  } catch { /* it is not open */ }
  throw new BargeError("usage", `--ready-fd: ${fd} is not open`, {
    hint: `for instance --ready-fd ${fd} ${fd}>FILE`,
  });
}

/**
 * Writes a line to the descriptor and closes it.
 *
 * @throws {BargeError} `unavailable` when its reader is gone or does not read
 */
export async function writeReadyFd(fd: number, line: string): Promise<void> {
  try {
    const socket = adopt(fd);
    if (socket) return await end(socket, `${line}\n`);
    Deno.writeTextFileSync(`/dev/fd/${fd}`, `${line}\n`, { append: true, create: false });
  } catch (error) {
    throw typed(error, { op: "write to", path: `descriptor ${fd}` });
  }
}

/** Opens an inherited descriptor as a socket. @returns undefined if it is neither a pipe nor a socket */
function adopt(fd: number): Socket | undefined {
  try {
    return new Socket({ fd, readable: false, writable: true });
  } catch {
    return undefined;
  }
}

async function end(socket: Socket, text: string): Promise<void> {
  const timer = setTimeout(() => {
    const why = `its reader read nothing for ${readerTimeoutMs} ms`;
    socket.destroy(new BargeError("unavailable", why));
  }, readerTimeoutMs);
  try {
    socket.end(text);
    await once(socket, "close"); // rejects on an error
  } finally {
    clearTimeout(timer);
  }
}
