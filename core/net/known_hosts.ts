/**
 * The file of certificates that a client has pinned, like ssh's known_hosts. Each line has a server,
 * in fields separated by blanks:
 *
 *   HOST:PORT SHA256:FINGERPRINT DATE
 *
 * HOST is in lower case, an IPv6 address in brackets; DATE (RFC 3339) is the time of the pinning. Empty
 * lines and comments (`#`) are kept. A server may have several lines, so that a change of its
 * certificate can be prepared. A malformed line is an error, not an unknown server.
 *
 * The file is replaced atomically, by one program at a time (by a lock file).
 */
import { createSynced } from "../disk/sync_file.ts";
import { BargeError, typed } from "../error.ts";
import { type Address, formatAddress } from "./address.ts";
import { type Fingerprint, parseFingerprint } from "./fingerprint.ts";

export interface Pin {
  /** HOST:PORT */
  readonly server: string;
  readonly fingerprint: Fingerprint;
  /** The time of the pinning, RFC 3339. */
  readonly since: string;
}

/** Returns the name of a server in the file. */
export function serverName({ host, port }: Address): string {
  return formatAddress({ host: host.toLowerCase().replace(/\.$/, ""), port });
}

/** Parses the text of the file at `path`. @throws {BargeError} `identity` for a malformed line */
function parsePins(text: string, path: string): Pin[] {
  return text.split("\n").flatMap((line, i) => {
    const [server, fingerprint = "", since = ""] = line.trim().split(/\s+/);
    if (server === "" || server.startsWith("#")) return [];
    try {
      return [{ server, fingerprint: parseFingerprint(fingerprint), since }];
    } catch (cause) {
      const hint = "correct the line; remove it only if its server need not be pinned";
      const facts = { op: "read", path, hint, cause };
      throw new BargeError("identity", `line ${i + 1} is malformed`, facts);
    }
  });
}

/** Reads the pins of a server; none when there is no file. @throws {BargeError} as parsePins */
export function readPins(path: string, address: Address): Pin[] {
  const name = serverName(address);
  return parsePins(read(path), path).filter(({ server }) => server === name);
}

/**
 * Pins a server that is not pinned yet.
 *
 * @returns the pins of the server; if another program has pinned it meanwhile, the pins of that program
 * @throws {BargeError} when the file can't be written
 */
export async function addPin(path: string, address: Address, fingerprint: Fingerprint) {
  const server = serverName(address);
  let pins: Pin[] = [];
  await change(path, (text) => {
    pins = parsePins(text, path).filter((pin) => pin.server === server);
    if (pins.length > 0) return text;
    const since = new Date().toISOString().replace(/\.\d+/, "");
    pins = [{ server, fingerprint, since }];
    const lines = text === "" || text.endsWith("\n") ? text : `${text}\n`;
    return `${lines}${server} ${fingerprint} ${since}\n`;
  });
  return pins;
}

/** Removes the pins of a server. @returns the removed pins */
export async function removePins(path: string, address: Address): Promise<Pin[]> {
  const server = serverName(address);
  let pins: Pin[] = [];
  await change(path, (text) => {
    pins = parsePins(text, path).filter((pin) => pin.server === server);
    return text.split(/(?<=\n)/).filter((line) => line.trim().split(/\s+/)[0] !== server).join("");
  });
  return pins;
}

/** Replaces the file's text by the text that `edit` returns, if the two differ. */
async function change(path: string, edit: (text: string) => string): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}`;
  try {
    const { dirname } = await import("node:path"); // most commands change nothing, and start faster
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    using lock = await Deno.open(`${path}.lock`, { create: true, write: true, mode: 0o600 });
    await lock.lock(true);
    const before = read(path);
    const after = edit(before);
    if (after === before) return;
    await createSynced(temporary, after);
    await Deno.rename(temporary, path);
  } catch (cause) {
    await Deno.remove(temporary).catch(() => {/* it was never made */});
    throw typed(cause, { op: "write", path });
  }
}

/** Reads the file, not on another thread: each login over TLS would wait for its start. */
function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return "";
    throw typed(cause, { op: "read", path });
  }
}
