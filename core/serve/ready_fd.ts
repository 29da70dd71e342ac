/**
 * `--ready-fd N`: one line to a descriptor that the caller left open for it, which is then closed
 * (as s6 and others wait for). A pipe or a socket is closed in truth; of a file or a terminal, which
 * the runtime can open again but not take over, a second descriptor is.
 */
import { Socket } from "node:net";
import { BargeError, typed } from "../error.ts";

/** How long a reader that takes nothing is waited for, in ms. */
const patience = 5_000;
const closeOnExec = 0o2000000;

/**
 * Makes sure that a descriptor came from the caller. One of the runtime's own would bring it down.
 *
 * @throws {BargeError} `usage`
 */
export function checkReadyFd(fd: number): void {
  if (Deno.build.os === "windows") {
    throw new BargeError("usage", "--ready-fd: this system has no such descriptors");
  }
  try {
    Deno.statSync(`/dev/fd/${fd}`);
    if (Deno.build.os !== "linux") return;
    // What was inherited can't be close-on-exec; what this process opened itself always is.
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
 * @throws {BargeError} `unavailable` when its reader is gone or takes nothing
 */
export async function tellReadyFd(fd: number, line: string): Promise<void> {
  const facts = { op: "write to", path: `descriptor ${fd}` };
  try {
    const socket = ownSocket(fd);
    if (socket) return await end(socket, `${line}\n`);
    using file = Deno.openSync(`/dev/fd/${fd}`, { append: true });
    const bytes = new TextEncoder().encode(`${line}\n`);
    for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
  } catch (error) {
    throw typed(error, facts);
  }
}

/** @returns undefined for what is neither a pipe nor a socket */
function ownSocket(fd: number): Socket | undefined {
  try {
    return new Socket({ fd, readable: false, writable: true });
  } catch {
    return undefined;
  }
}

function end(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      socket.destroy(new BargeError("unavailable", `its reader took nothing for ${patience} ms`));
    }, patience);
    socket.once("error", reject);
    socket.once("close", () => {
      clearTimeout(late);
      resolve();
    });
    socket.end(text);
  });
}
