/** Commands for login, logout and TLS (RFC 959, 4.1.1; RFC 2228; RFC 4217). */
import { BargeError } from "../../error.ts";
import { logIn } from "../../login/password.ts";
import { logName } from "../../login/log_name.ts";
import type { Connection, Row } from "./row.ts";
import { Failed, type Reply, reply } from "./reply.ts";
import { freshState } from "./state.ts";

/** The number of failed logins after which a connection is closed. */
const maxLoginFailures = 3;

export const loginRows: Record<string, Row> = {
  USER: {
    argument: "needed",
    login: false,
    help: ["NAME", "name the account to log in to"],
    async run(c, name) {
      needTls(c);
      forget(c);
      c.state.user = name;
      c.account = await logName(c.store, name);
      return reply(331, "Send the password, or a token, with PASS");
    },
  },
  PASS: {
    argument: "optional",
    login: false,
    does: "login",
    slow: true,
    help: ["PASSWORD", "log in with the password or a token"],
    async run(c, secret, access) {
      needTls(c);
      const name = c.state.user;
      if (name === undefined) throw new Failed(503, "usage", "Login with USER first");
      if (c.session) throw new Failed(503, "usage", "Already logged in; REIN logs out");
      try {
        const credentials = { name, secret, host: c.host, gone: c.ended.signal };
        const session = await logIn(c.store, credentials, (ms) => c.pause(ms));
        if (!c.admit(session)) return full(c);
        c.account = access.account = session.name;
        return reply(230, `Logged in as ${c.account}`);
      } catch (error) {
        if (!(error instanceof BargeError) || error.kind !== "unauthenticated") throw error;
        c.quitting = ++c.state.failures >= maxLoginFailures;
        const { message, hint } = error;
        throw new Failed(530, "unauthenticated", c.quitting ? `${message}; goodbye` : message, {
          hint,
        });
      }
    },
  },
  ACCT: {
    argument: "needed",
    login: false,
    help: ["TEXT", "accepted and ignored"],
    run: () => reply(202, "No account information is needed"),
  },
  REIN: {
    argument: "none",
    login: false,
    help: ["", "log out and start again"],
    run(c) {
      forget(c);
      return reply(220, "Logged out");
    },
  },
  QUIT: {
    argument: "none",
    login: false,
    help: ["", "end the connection, when a transfer is done"],
    run(c) {
      c.quitting = true;
      return reply(221, "Goodbye");
    },
  },
  AUTH: {
    argument: "needed",
    login: false,
    help: ["TLS", "encrypt this connection"],
    async run(c, argument) {
      const mechanism = argument.trim().toUpperCase();
      if (!/^(TLS|TLS-C|SSL|TLS-P)$/.test(mechanism)) {
        throw new Failed(504, "unsupported", "Only AUTH TLS is supported");
      }
      if (c.tls) throw new Failed(503, "usage", "Already using TLS");
      if (!c.shown()) {
        throw new Failed(534, "unsupported", "TLS is not available: the server has no certificate");
      }
      forget(c);
      // SSL and TLS-P include PROT P (RFC 4217, section 17).
      c.state.protect = mechanism === "SSL" || mechanism === "TLS-P";
      await c.secure(reply(234, `AUTH ${mechanism} accepted; begin the handshake`));
      return undefined;
    },
  },
  PBSZ: {
    argument: "needed",
    login: false,
    help: ["0", "required before PROT"],
    run(c, argument) {
      if (!c.tls) throw new Failed(503, "usage", "PBSZ not allowed on insecure control connection");
      if (!/^\d{1,10}$/.test(argument.trim())) throw new Failed(501, "usage", "not a number");
      c.state.buffered = true;
      return reply(200, "PBSZ=0 successful");
    },
  },
  PROT: {
    argument: "needed",
    login: false,
    help: ["P|C", "data connections with TLS, or in the clear"],
    run(c, argument) {
      if (!c.tls) throw new Failed(503, "usage", "PROT not allowed on insecure control connection");
      if (!c.state.buffered) {
        throw new Failed(503, "usage", "You must issue the PBSZ command prior to PROT");
      }
      const level = argument.trim().toUpperCase();
      if (level === "S" || level === "E") {
        throw new Failed(536, "unsupported", "Only PROT P and PROT C are supported");
      }
      if (level !== "P" && level !== "C") {
        throw new Failed(504, "unsupported", "Only PROT P and PROT C are supported");
      }
      if (level === "C" && c.spec.tls === "require") {
        throw new Failed(534, "refused", "Data connections without TLS are not allowed");
      }
      c.state.protect = level === "P";
      return reply(
        200,
        level === "P" ? "Data connections use TLS" : "Data connections are in the clear",
      );
    },
  },
};

/** @throws {Failed} if a name or password would be sent without TLS though TLS is required */
function needTls(c: Connection): void {
  if (c.tls || c.spec.tls !== "require") return;
  throw new Failed(530, "unauthenticated", "TLS is required here", { hint: "send AUTH TLS first" });
}

/** Logs out. The state of TLS stays. */
function forget(c: Connection): void {
  c.data.close();
  c.admit(undefined);
  c.account = null;
  c.state = {
    ...freshState(),
    failures: c.state.failures,
    protect: c.state.protect,
    buffered: c.state.buffered,
  };
}

function full(c: Connection): Reply {
  c.quitting = true;
  return reply(421, "The account has too many connections; try again later");
}
