/** A command's row in the table, and the connection as the commands see it. */
import type { Shown } from "../../net/accept_tls.ts";
import type { Stream } from "../../net/stream.ts";
import type { TlsPipe } from "../../net/tls_pipe.ts";
import type { Session } from "../../login/session.ts";
import type { Service } from "../../login/service.ts";
import type { Access } from "../access.ts";
import type { DoorSpec } from "../door.ts";
import type { DataPort } from "./data_port.ts";
import type { Patience } from "./patience.ts";
import { Failed, type Reply } from "./reply.ts";
import type { State } from "./state.ts";

/** A control connection. */
export interface Connection {
  readonly store: Service;
  readonly stream: Stream;
  readonly spec: DoorSpec;
  readonly patience: Patience;
  /** Returns the certificate of now. */
  readonly shown: () => Shown | undefined;
  /** The client's numeric address, without the port. */
  readonly host: string;
  /** The server's address that the client has reached. */
  readonly local: string;
  readonly data: DataPort;
  readonly tls: TlsPipe | undefined;
  readonly session: Session | undefined;
  /** Aborted when the connection ends, for whatever reason. */
  readonly ended: AbortController;
  state: State;
  /** The account that is logged in, or tries to: for the access log. */
  account: string | null;
  /** Ends the running transfer; undefined when none runs. */
  transfer: AbortController | undefined;
  /** An ABOR has ended a transfer and waits for its answer. */
  aborted: boolean;
  /** This command is the last one. */
  quitting: boolean;

  /** Sends a reply behind those before it. @throws {BargeError} `unavailable` */
  say(answer: Reply): Promise<void>;
  /**
   * Makes the session this connection's; undefined logs out.
   *
   * @returns false when its account has too many connections
   */
  admit(session: Session | undefined): boolean;
  /**
   * Waits, in the midst of a transfer, until the client has sent another line, or has kept its connection
   * open for `ms`.
   *
   * @throws {BargeError} the reason why the transfer was aborted, as when the client has gone
   */
  lives(ms: number): Promise<void>;
  /** Waits before the answer to a failed login. @throws {BargeError} when the client is gone before */
  pause(ms: number): Promise<void>;
  /** Sends a reply and begins TLS; bytes that came in the clear behind the command are dropped. */
  secure(answer: Reply): Promise<void>;
  /** Returns the absolute path that a command's argument means. */
  path(argument: string): Promise<string>;
}

/** A control connection after a login. */
export interface UserConnection extends Connection {
  readonly session: Session;
}

interface RowFacts {
  readonly argument: "none" | "optional" | "needed";
  /** The argument is a path, which the access log records. */
  readonly path?: boolean;
  /** The verb in the access log; undefined: the command is not recorded. */
  readonly does?: Doing;
  /** It may take long: ABOR and the like are answered meanwhile. */
  readonly slow?: boolean;
  /** Its arguments, and its description in a line. */
  readonly help: readonly [syntax: string, what: string];
}

/** A command that needs no login. @returns undefined when it has answered by itself */
export interface OpenRow extends RowFacts {
  readonly login: false;
  run(c: Connection, argument: string, access: Access): Answer | Promise<Answer>;
}

/** A command that needs a login. @returns undefined when it has answered by itself */
export interface UserRow extends RowFacts {
  readonly login: true;
  run(c: UserConnection, argument: string, access: Access): Answer | Promise<Answer>;
}

export type Row = OpenRow | UserRow;

type Answer = Reply | undefined;

/** The verbs of the session, as the access log has them. */
export type Doing =
  | "login"
  | "list"
  | "stat"
  | "get"
  | "put"
  | "move"
  | "remove"
  | "mkdir"
  | "touch"
  | "digest"
  | "quota";

/** Returns a connection as one with a login. @throws {Failed} 530 where it has none */
export function needLogin(c: Connection): UserConnection {
  if (c.session) return c as UserConnection;
  throw new Failed(530, "unauthenticated", "Log in with USER and PASS first");
}
