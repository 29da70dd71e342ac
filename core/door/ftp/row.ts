/** A command's row in the table, and the connection as the commands see it. */
import type { ServerIdentity } from "../../net/accept_tls.ts";
import type { TlsPipe } from "../../net/tls_pipe.ts";
import type { Access } from "../access.ts";
import type { ClientConnection, LoggedIn } from "../client_connection.ts";
import type { Verb } from "../../protocol/message.ts";
import type { Session } from "../../login/session.ts";
import type { DataPort } from "./data_port.ts";
import type { Host } from "./host.ts";
import { Failed, type Reply } from "./reply.ts";
import type { State } from "./state.ts";

/** A control connection. */
export interface Connection extends ClientConnection {
  readonly door: Host;
  /** The server's address that the client has connected to. */
  readonly local: string;
  readonly data: DataPort;
  readonly tls: TlsPipe | undefined;
  /** The identity of the control connection, which its data connections keep: their sessions resume. */
  readonly identity: ServerIdentity | undefined;
  state: State;
  /** Ends the running transfer; undefined when none runs. */
  transfer: AbortController | undefined;
  /** True when an ABOR has ended a transfer, until the reply to ABOR is sent. */
  aborted: boolean;
  /** True if the connection ends after the reply to this command. */
  quitting: boolean;

  /** Sends a reply after the replies before it. @throws {BargeError} `unavailable` */
  answer(message: Reply): Promise<void>;
  /** Replaces the session; undefined logs out. @returns false when the account has too many connections */
  setSession(session: Session | undefined): boolean;
  /**
   * Waits during a transfer until the client has sent another line, or has kept its connection open for
   * `ms`.
   *
   * @throws {BargeError} the reason why the transfer was aborted, as when the client has left
   */
  confirmAlive(ms: number): Promise<void>;
  /** Sends a reply and begins TLS; unencrypted bytes after the command are dropped. */
  secure(answer: Reply): Promise<void>;
  /** Returns the absolute path that a command's argument means, without `.` and `..` parts. */
  path(argument: string): Promise<string>;
}

/** A control connection after a login. */
export type UserConnection = LoggedIn<Connection>;

/** A command's argument and the record of its access. */
export interface Request {
  readonly argument: string;
  /** The absolute path of the argument, if the row's argument is a path; else empty. */
  readonly path: string;
  readonly access: Access;
}

/** A command. By default it needs a login. */
export type Row =
  & {
    /** The syntax of its arguments, and its description in a line. */
    readonly help: readonly [syntax: string, description: string];
    /** Allows a missing or unused argument where the syntax shows another rule (command.ts). */
    readonly argument?: "optional";
    /** True if the argument is a path, which the access log records. */
    readonly path?: boolean;
    /** The verb in the access log; undefined: the command is not recorded. */
    readonly logVerb?: Verb | "login" | "touch";
    /** True if it may take long: ABOR and some other commands are answered meanwhile. */
    readonly slow?: boolean;
  }
  & (
    | { readonly login: false; readonly run: Run<Connection> }
    | { readonly login?: true; readonly run: Run<UserConnection> }
  );

/** @returns undefined when the command has sent its reply */
type Run<C> = (c: C, request: Request) => Promise<Reply | undefined> | Reply | undefined;

/** Returns the connection, typed as logged in. @throws {Failed} 530 if it is not logged in */
export function needLogin(c: Connection): UserConnection {
  if (c.session) return c as UserConnection;
  throw new Failed(530, "unauthenticated", "Log in with USER and PASS first");
}
