/**
 * Commands that request a data connection (RFC 959, 4.1.2; RFC 2428). The server connects only to the
 * client's own address, to no port below 1024, and only if the operator allows it: bounce attacks
 * are impossible.
 */
import { isIPv4 } from "node:net";
import { type Address, isLoopback } from "../../net/address.ts";
import { BargeError } from "../../error.ts";
import { familyOf, formatSix, parseExtended, parseSix } from "./address.ts";
import type { Connection, Row, UserConnection } from "./row.ts";
import { Failed, type Reply, reply } from "./reply.ts";

export const channelRows: Record<string, Row> = {
  PASV: {
    argument: "none",
    login: true,
    help: ["", "listen for a data connection"],
    run(c) {
      if (c.state.extendedOnly) throw extendedOnly();
      const host = c.spec.ftp!.publicAddress ?? c.local;
      if (!isIPv4(host)) {
        throw new Failed(425, "unsupported", "This connection is IPv6", { hint: "use EPSV" });
      }
      const port = listen(c);
      return reply(227, `Entering passive mode (${formatSix({ host, port })}).`);
    },
  },
  EPSV: {
    argument: "optional",
    login: true,
    help: ["[1|2|ALL]", "listen for a data connection"],
    run(c, argument) {
      const wanted = argument.trim().toUpperCase();
      if (wanted === "ALL") {
        c.state.extendedOnly = true;
        return reply(200, "Only EPSV is accepted from now on");
      }
      const family = familyOf(c.local);
      if (wanted !== "" && wanted !== String(family)) {
        throw new Failed(522, "unsupported", `Network protocol not supported, use (${family})`);
      }
      return reply(229, `Entering extended passive mode (|||${listen(c)}|).`);
    },
  },
  PORT: {
    argument: "needed",
    login: true,
    help: ["H,H,H,H,P,P", "connect to a port of the client"],
    run: (c, argument) => dial(c, () => parseSix(argument.trim())),
  },
  EPRT: {
    argument: "needed",
    login: true,
    help: ["|FAMILY|ADDRESS|PORT|", "connect to a port of the client"],
    run: (c, argument) => dial(c, () => parseExtended(argument.trim())),
  },
};

/**
 * Returns whether the server may connect to this client. A client on this machine, or behind a tunnel
 * or proxy on it, could name the port of any local service; a setting of its own allows that. Other
 * clients need IPv4: the permissions of workers have no ranges of IPv6 (core/serve/outgoing.ts).
 */
export function activeFor({ spec, host, local }: Connection): boolean {
  const { active, activeLoopback } = spec.ftp!;
  if (isLoopback(host) || host === local) return activeLoopback;
  return active && isIPv4(host);
}

function listen(c: UserConnection): number {
  try {
    return c.data.listen(c.session.id);
  } catch (error) {
    if (!(error instanceof BargeError) || error.kind !== "unavailable") throw error;
    throw new Failed(425, error.kind, error.message, { hint: error.hint });
  }
}

function dial(c: UserConnection, parse: () => Address): Reply {
  if (c.state.extendedOnly) throw extendedOnly();
  if (!activeFor(c)) {
    throw new Failed(502, "refused", "Active mode is off", { hint: "use PASV or EPSV" });
  }
  const { host, port } = parsed(parse);
  if (host !== c.host) {
    throw new Failed(501, "refused", "Rejected data connection to foreign address");
  }
  if (port < 1024) throw new Failed(501, "refused", "Rejected data connection to privileged port");
  c.data.dial(port);
  return reply(200, "The data connection will be made to that port");
}

function parsed(parse: () => Address): Address {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof BargeError) || error.kind !== "unsupported") throw error;
    throw new Failed(522, error.kind, error.message);
  }
}

function extendedOnly(): Failed {
  return new Failed(501, "usage", "Not allowed after EPSV ALL");
}
