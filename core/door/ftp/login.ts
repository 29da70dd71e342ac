/** Commands for login, logout and TLS (RFC 959, 4.1.1; RFC 2228; RFC 4217). */
import { BargeError } from "../../error.ts";
import { logIn } from "../../login/password.ts";
import { isLoginRefusal } from "../../login/second_factor.ts";
import { delay } from "../../net/delay.ts";
import { logName } from "../../login/log_name.ts";
import type { Connection, Row } from "./row.ts";
import { Failed, reply } from "./reply.ts";
import { freshState } from "./state.ts";

/** The number of failed logins after which a connection is closed. */
const maxLoginFailures = 3;

export const loginRows: Record<string, Row> = {
  USER: {
    login: false,
    help: ["NAME", "name the account to log in to"],
    async run(c, { argument: name }) {
      needTls(c);
      logOut(c);
      c.state.user = name;
      c.account = await logName(c.store, name);
      return reply(331, "Send the password, or a token, with PASS");
    },
  },
  PASS: {
    argument: "optional",
    login: false,
    logVerb: "login",
    slow: true,
    help: ["PASSWORD", "log in with the password or a token"],
    async run(c, { argument: secret, access }) {
      needTls(c);
      const name = c.state.user;
      if (name === undefined) throw new Failed(503, "usage", "Login with USER first");
      if (c.session) throw new Failed(503, "usage", "Already logged in; REIN logs out");
      try {
        const credentials = {
          name,
          secret,
          host: c.host,
          door: "ftp",
          gone: c.ended.signal,
        } as const;
        const session = await logIn(c.store, credentials, (ms) => delay(ms, c.ended.signal));
        if (!c.setSession(session)) {
          c.quitting = true;
          return reply(421, "The account has too many connections; try again later");
        }
        c.account = access.account = session.name;
        return reply(230, `Logged in as ${c.account}`);
      } catch (error) {
        if (!(error instanceof BargeError) || !isLoginRefusal(error)) throw error;
        c.quitting = ++c.state.failures >= maxLoginFailures;
        const why = c.quitting ? `${error.message}; goodbye` : error.message;
        throw new Failed(530, error.kind, why, { hint: error.hint });
      }
    },
  },
  REIN: {
    login: false,
    help: ["", "log out and start again"],
    run(c) {
      logOut(c);
      return reply(220, "Logged out");
    },
  },
  QUIT: {
    login: false,
    help: ["", "end the connection, when a transfer is done"],
    run(c) {
      c.quitting = true;
      return reply(221, "Goodbye");
    },
  },
  AUTH: {
    login: false,
    help: ["TLS", "encrypt this connection"],
    async run(c, { argument }) {
      const mechanism = argument.trim().toUpperCase();
      if (!/^(TLS|TLS-C|SSL|TLS-P)$/.test(mechanism)) {
        throw new Failed(504, "unsupported", "Only AUTH TLS is supported");
      }
      if (c.tls) throw new Failed(503, "usage", "Already using TLS");
      if (!c.door.certificate()) {
        throw new Failed(534, "unsupported", "TLS is not available: the server has no certificate");
      }
      logOut(c);
      // SSL and TLS-P include PROT P (RFC 4217, section 17).
      c.state.protect = mechanism === "SSL" || mechanism === "TLS-P";
      await c.secure(reply(234, `AUTH ${mechanism} accepted; begin the handshake`));
      return undefined;
    },
  },
  PBSZ: {
    login: false,
    help: ["0", "required before PROT"],
    run(c, { argument }) {
      if (!c.tls) throw new Failed(503, "usage", "PBSZ not allowed on insecure control connection");
      if (!/^\d{1,10}$/.test(argument.trim())) throw new Failed(501, "usage", "not a number");
      c.state.pbszReceived = true;
      return reply(200, "PBSZ=0 successful");
    },
  },
  PROT: {
    login: false,
    help: ["P|C", "data connections with TLS, or in the clear"],
    run(c, { argument }) {
      if (!c.tls) throw new Failed(503, "usage", "PROT not allowed on insecure control connection");
      if (!c.state.pbszReceived) {
        throw new Failed(503, "usage", "You must issue the PBSZ command prior to PROT");
      }
      const level = argument.trim().toUpperCase();
      if (level !== "P" && level !== "C") {
        const code = level === "S" || level === "E" ? 536 : 504;
        throw new Failed(code, "unsupported", "Only PROT P and PROT C are supported");
      }
      if (level === "C" && c.door.spec.tls === "require") {
        throw new Failed(534, "refused", "Data connections without TLS are not allowed");
      }
      c.state.protect = level === "P";
      const text = level === "P" ? "Data connections use TLS" : "Data connections are in the clear";
      return reply(200, text);
    },
  },
};

/** Checks that a name or password may be sent. @throws {Failed} if TLS is required and was not begun */
function needTls(c: Connection): void {
  if (c.tls || c.door.spec.tls !== "require") return;
  throw new Failed(530, "unauthenticated", "TLS is required here", { hint: "send AUTH TLS first" });
}

/** Logs out. The settings of TLS stay. */
function logOut(c: Connection): void {
  c.data.close();
  c.setSession(undefined);
  c.account = null;
  const { failures, protect, pbszReceived } = c.state;
  c.state = { ...freshState(), failures, protect, pbszReceived };
}
