/**
 * Commands that request a data connection (RFC 959, 4.1.2; RFC 2428). The server connects only to the
 * client's own address, to no port below 1024, and only if the operator allows it: bounce attacks
 * are impossible.
 */
import { isIPv4, isIPv6 } from "node:net";
import { type Address, isLoopback } from "../../net/address.ts";
import { BargeError, type Kind } from "../../error.ts";
import { formatSix, parseExtended, parseSix } from "./address.ts";
import type { Connection, Row, UserConnection } from "./row.ts";
import { Failed, type Reply, reply } from "./reply.ts";

export const channelRows: Record<string, Row> = {
  PASV: {
    help: ["", "listen for a data connection"],
    run(c) {
      refuseAfterEpsvAll(c);
      const host = c.door.spec.ftp.publicAddress ?? c.local;
      if (!isIPv4(host)) {
        throw new Failed(425, "unsupported", "This connection is IPv6", { hint: "use EPSV" });
      }
      const port = listen(c);
      return reply(227, `Entering passive mode (${formatSix({ host, port })}).`);
    },
  },
  EPSV: {
    help: ["[1|2|ALL]", "listen for a data connection"],
    run(c, { argument }) {
      const wanted = argument.trim().toUpperCase();
      if (wanted === "ALL") {
        c.state.extendedOnly = true;
        return reply(200, "Only EPSV is accepted from now on");
      }
      const family = isIPv6(c.local) ? "2" : "1";
      if (wanted !== "" && wanted !== family) {
        throw new Failed(522, "unsupported", `Network protocol not supported, use (${family})`);
      }
      return reply(229, `Entering extended passive mode (|||${listen(c)}|).`);
    },
  },
  PORT: {
    help: ["H,H,H,H,P,P", "connect to a port of the client"],
    run: (c, { argument }) => dial(c, () => parseSix(argument.trim())),
  },
  EPRT: {
    help: ["|FAMILY|ADDRESS|PORT|", "connect to a port of the client"],
    run: (c, { argument }) => dial(c, () => parseExtended(argument.trim())),
  },
};

/**
 * Returns whether the server may connect to this client. A client on this machine, or behind a tunnel
 * or proxy on it, could name the port of any local service, so that needs `activeLoopback`. Other
 * clients need IPv4, since the permissions of a worker can't name ranges of IPv6 addresses
 * (core/serve/outgoing.ts).
 */
export function activeFor({ door, host, local }: Connection): boolean {
  const { active, activeLoopback } = door.spec.ftp;
  if (isLoopback(host) || host === local) return activeLoopback;
  return active && isIPv4(host);
}

function listen(c: UserConnection): number {
  return withCode(425, "unavailable", () => c.data.listen(c.session.id));
}

function dial(c: UserConnection, parse: () => Address): Reply {
  refuseAfterEpsvAll(c);
  if (!activeFor(c)) {
    throw new Failed(502, "refused", "Active mode is off", { hint: "use PASV or EPSV" });
  }
  const { host, port } = withCode(522, "unsupported", parse);
  if (host !== c.host) {
    throw new Failed(501, "refused", "Rejected data connection to foreign address");
  }
  if (port < 1024) throw new Failed(501, "refused", "Rejected data connection to privileged port");
  c.data.dial(port);
  return reply(200, "The data connection will be made to that port");
}

/** Runs a step. @throws {Failed} with this code, in place of the step's failure of this kind */
function withCode<T>(code: number, kind: Kind, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof BargeError) || error.kind !== kind) throw error;
    throw new Failed(code, kind, error.message, { hint: error.hint });
  }
}

function refuseAfterEpsvAll(c: Connection): void {
  if (c.state.extendedOnly) throw new Failed(501, "usage", "Not allowed after EPSV ALL");
}
