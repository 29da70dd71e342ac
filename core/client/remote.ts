/** Parses and formats server addresses: `barge://[account@]host[:port]`, `barge://[account@]unix:/path`. */
import { BargeError } from "../error.ts";
import { type Address, formatAddress, parseAddress } from "../net/address.ts";
import type { Trust } from "../net/trust.ts";

/** The default port of BARGE/1. */
const defaultPort = 7171;

export interface Remote {
  /** Undefined if the address names no account. */
  readonly account?: string;
  /** A name, a numeric address, or `unix:` and the absolute path of a Unix socket. */
  readonly host: string;
  readonly port: number;
  /** Which certificates to accept; undefined for no TLS. {@link formatRemote} omits this field. */
  readonly trust?: Trust;
}

const pattern =
  /^(?:barge:\/\/)?(?:([^@/\s]*)@)?(?:\[([0-9a-fA-F:.%]+)\]|([^:@/[\]\s]+))(?::(\d{1,5}))?\/?$/;
const unixPattern = /^(?:barge:\/\/)?(?:([^@/:\s]+)@)?(unix:\/.*)$/;

/**
 * Parses `barge://[account@]host[:port]` or `barge://[account@]unix:/path`; the scheme may be omitted.
 *
 * @throws {BargeError} `usage`
 *
 * @example
 * ```ts
 * import { parseRemote } from "./remote.ts";
 * const remote = parseRemote("barge://anna@files.example");
 * if (remote.account !== "anna" || remote.port !== 7171) throw new Error();
 * if (parseRemote("[::1]:80").host !== "::1") throw new Error();
 * if (parseRemote("anna@unix:/run/a.sock").host !== "unix:/run/a.sock") throw new Error();
 * ```
 */
export function parseRemote(text: string): Remote {
  const [, owner, socket] = unixPattern.exec(text) ?? [];
  if (socket !== undefined) {
    return { ...parseAddress(socket), ...owner !== undefined && { account: decode(owner) } };
  }
  const match = pattern.exec(text);
  const port = match?.[4] === undefined ? defaultPort : Number(match[4]);
  const account = match?.[1];
  if (account?.includes(":")) {
    const hint = "use --password-stdin, --password-file or BARGE_PASSWORD";
    throw new BargeError("usage", "a password does not belong in a server's address", { hint });
  }
  if (!match || port > 65535 || port === 0 || account === "") {
    const isWeb = /^https?:\/\//i.test(text);
    throw new BargeError("usage", `${JSON.stringify(text)} is not a server's address`, {
      hint: isWeb
        ? "barge:// has a port of its own, which `barge serve` prints (`native`)"
        : "for instance barge://anna@files.example:7171",
    });
  }
  const host = match[2] ?? match[3];
  return account ? { account: decode(account), host, port } : { host, port };
}

/** Formats a remote so that {@link parseRemote} reads it. */
export function formatRemote(remote: Remote): string {
  const account = remote.account ? `${encodeURIComponent(remote.account)}@` : "";
  return `barge://${account}${formatAddress(remote)}`;
}

/**
 * Adds a hint to the failure of a connection to the default port, where nothing listens: the server may have
 * another port, which the address does not name.
 *
 * @param error a failure to connect to the remote
 * @returns the failure to throw
 */
export function withPortHint(error: unknown, { port }: Address): unknown {
  if (port !== defaultPort || !(error instanceof BargeError)) return error;
  if (!(error.cause instanceof Deno.errors.ConnectionRefused)) return error;
  const hint =
    `check that \`barge serve\` is running, and at this port: an address without a port means ` +
    `${defaultPort}, and the server prints its own at its start (\`native\`)`;
  return error.replacing({ hint });
}

function decode(account: string): string {
  try {
    return decodeURIComponent(account);
  } catch {
    return account; // a lone % stands for itself
  }
}
