/** Public keys, and lines of an `authorized_keys` file (sshd(8), "AUTHORIZED_KEYS FILE FORMAT"). */
import { createHash } from "node:crypto";
import { BargeError } from "../error.ts";

/** A public key of an account. */
export interface PublicKey {
  /** `SHA256:...`, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  /** `ssh-ed25519` and the like. */
  readonly type: string;
  readonly comment: string;
  /** Milliseconds since 1970. */
  readonly added: number;
  /** The time of the last login with it; null for never. */
  readonly used: number | null;
}

/** A key of an `authorized_keys` file. */
export interface AuthorizedKey {
  readonly type: string;
  /** The public key (RFC 4253, section 6.6). */
  readonly blob: Uint8Array;
  readonly comment: string;
  /** Its options, all of which forbid features that barge does not have. */
  readonly ignored: readonly string[];
}

/** Options that barge can ignore: they are about features that it does not have. */
const ignoredOptions =
  /^(no-)?(agent-forwarding|port-forwarding|pty|user-rc|x11-forwarding)$|^restrict$/i;
const keyTypes = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "ssh-rsa",
];
const minRsaBits = 2048;
const maxRsaBits = 16_384;

/**
 * Returns the keys of a text in that format. Empty lines and comments are skipped.
 *
 * @param text at most a few hundred lines
 * @throws {BargeError} `usage` with the number of the line; also for an option that restricts the key,
 *   since barge would not enforce it
 *
 * @example
 * ```ts
 * import { parseAuthorizedKeys } from "./public_key.ts";
 * const blob = "AAAAC3NzaC1lZDI1NTE5AAAAIE6/0djp8Wr5EuVYNojmjOwrJd27dd3UhsJsx5luW964";
 * const [key] = parseAuthorizedKeys(`# mine\nno-pty ssh-ed25519 ${blob} anna@home\n`);
 * if (key.comment !== "anna@home" || key.ignored[0] !== "no-pty") throw new Error();
 * ```
 */
export function parseAuthorizedKeys(text: string): AuthorizedKey[] {
  const lines = text.split(/\r?\n/);
  return lines.flatMap((line, i) => {
    const content = line.trim();
    if (content === "" || content.startsWith("#")) return [];
    try {
      return [parseLine(content)];
    } catch (error) {
      if (!(error instanceof BargeError) || lines.length === 1) throw error;
      throw new BargeError(error.kind, `line ${i + 1}: ${error.message}`, { hint: error.hint });
    }
  });
}

function parseLine(line: string): AuthorizedKey {
  if (/PRIVATE KEY/.test(line)) {
    throw new BargeError("usage", "this is a private key: nobody needs it but its owner", {
      hint: "give the file that ends with .pub",
    });
  }
  const known = (text: string) => /^(ssh|ecdsa|sk)-\S+\s/.test(text);
  const [options, rest] = known(line) ? ["", line] : splitOptions(line);
  const [, type, base64, comment = ""] = /^(\S+)\s+(\S+)(?:\s+(.*))?$/.exec(rest) ?? [];
  if (type === undefined) {
    throw new BargeError("usage", "not a public key", {
      hint: "a line looks like `ssh-ed25519 AAAA... name@host`",
    });
  }
  if (!keyTypes.includes(type)) {
    throw new BargeError("usage", `keys of type ${type.slice(0, 60)} are not accepted`, {
      hint: `make one with \`ssh-keygen -t ed25519\`; accepted are ${keyTypes.join(", ")}`,
    });
  }
  const blob = decode(base64);
  checkBlob(type, blob);
  return { type, blob, comment: printable(comment), ignored: checkOptions(options) };
}

/** Splits at the first blank outside of quotes. */
function splitOptions(line: string): [options: string, rest: string] {
  const [, options = "", rest = line] = /^((?:[^\s"]|"(?:[^"\\]|\\.)*")+)\s+(.*)$/.exec(line) ?? [];
  return [options, rest];
}

function checkOptions(options: string): string[] {
  const names = [...options.matchAll(/((?:[^,"]|"(?:[^"\\]|\\.)*")+)/g)].map(([name]) => name);
  for (const name of names) {
    if (ignoredOptions.test(name)) continue;
    throw new BargeError("usage", `the option ${name.slice(0, 60)} is not supported`, {
      hint: "remove the option if the key may do all that the account may",
    });
  }
  return names;
}

function decode(base64: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(base64);
  } catch {
    throw new BargeError("usage", "the key is not valid base64: was a part of it lost?");
  }
}

/** Checks that a key is whole, of its type, and long enough (RFC 4253, 5656, 8709). */
function checkBlob(type: string, blob: Uint8Array): void {
  const fields = split(blob);
  const [name, first, second] = fields ?? [];
  const damaged = () => new BargeError("usage", `not a whole ${type} key: was a part of it lost?`);
  if (!fields || new TextDecoder().decode(name) !== type) throw damaged();
  if (type === "ssh-ed25519" && !(fields.length === 2 && first.length === 32)) throw damaged();
  if (type.startsWith("ecdsa-")) {
    const curve = type.slice("ecdsa-sha2-".length);
    const length = { nistp256: 65, nistp384: 97, nistp521: 133 }[curve];
    if (fields.length !== 3 || new TextDecoder().decode(first) !== curve) throw damaged();
    if (second.length !== length) throw damaged();
  }
  if (type !== "ssh-rsa") return;
  if (fields.length !== 3) throw damaged();
  const start = second.findIndex((byte) => byte !== 0);
  const bits = start === -1 ? 0 : (second.length - start) * 8 - Math.clz32(second[start]) + 24;
  if (bits < minRsaBits || bits > maxRsaBits) {
    throw new BargeError("usage", `an RSA key of ${bits} bits`, {
      hint: `it must have ${minRsaBits} to ${maxRsaBits}`,
    });
  }
}

/** Returns the strings of a key; undefined for a key that is not whole. */
function split(blob: Uint8Array): Uint8Array[] | undefined {
  const fields: Uint8Array[] = [];
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  for (let at = 0; at < blob.length;) {
    if (at + 4 > blob.length) return undefined;
    const end = at + 4 + view.getUint32(at);
    if (end > blob.length) return undefined;
    fields.push(blob.subarray(at + 4, end));
    at = end;
  }
  return fields;
}

/** Makes a comment fit for a terminal. */
function printable(comment: string): string {
  // deno-lint-ignore no-control-regex
  return comment.replace(/[\u0000-\u001f\u007f-\u009f]/g, " ").trim().slice(0, 200);
}

/**
 * Returns a key's fingerprint, as `ssh-keygen -l` prints it.
 *
 * @param blob the public key (RFC 4253, section 6.6)
 *
 * @example
 * ```ts
 * import { fingerprintOf } from "./public_key.ts";
 * const empty = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
 * if (fingerprintOf(new Uint8Array()) !== empty) throw new Error();
 * ```
 */
export function fingerprintOf(blob: Uint8Array): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}
