/** Where a server is and as whom, as it is written on command lines and kept by `barge login`. */
import { BargeError } from "../error.ts";
import { formatAddress } from "../net/address.ts";
import type { Trust } from "../net/trust.ts";

/** The native door's port where none is given. */
const defaultPort = 7171;

export interface Remote {
  /** Undefined: the caller asks, or uses the only login that is saved. */
  readonly account?: string;
  readonly host: string;
  readonly port: number;
  /** Which certificates to trust there; undefined: no TLS. What is written never says so. */
  readonly trust?: Trust;
}

const shape =
  /^(?:barge:\/\/)?(?:([^@/\s]*)@)?(?:\[([0-9a-fA-F:.%]+)\]|([^:@/[\]\s]+))(?::(\d{1,5}))?\/?$/;

/**
 * Reads `barge://[account@]host[:port]`; the scheme may be left out.
 *
 * @param text as the user wrote it
 * @throws {BargeError} `usage`
 *
 * @example
 * ```ts
 * import { parseRemote } from "./remote.ts";
 * const remote = parseRemote("barge://anna@files.example");
 * if (remote.account !== "anna" || remote.port !== 7171) throw new Error();
 * if (parseRemote("[::1]:80").host !== "::1") throw new Error();
 * ```
 */
export function parseRemote(text: string): Remote {
  const match = shape.exec(text);
  const port = match?.[4] === undefined ? defaultPort : Number(match[4]);
  const account = match?.[1];
  if (account?.includes(":")) {
    throw new BargeError("usage", "a password does not belong in a server's address", {
      hint: "use --password-stdin, --password-file or BARGE_PASSWORD",
    });
  }
  if (!match || port > 65535 || port === 0 || account === "") {
    throw new BargeError("usage", `${JSON.stringify(text)} is not a server's address`, {
      hint: "for instance barge://anna@files.example:7171",
    });
  }
  return { ...(account && { account: decode(account) }), host: match[2] ?? match[3], port };
}

/** Writes a remote so that {@link parseRemote} reads it again. */
export function formatRemote(remote: Remote): string {
  const account = remote.account ? `${encodeURIComponent(remote.account)}@` : "";
  return `barge://${account}${formatAddress(remote)}`;
}

function decode(account: string): string {
  try {
    return decodeURIComponent(account);
  } catch {
    return account; // a lone % is a character like any other
  }
}
