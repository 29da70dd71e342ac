/** A client's connection as the handlers of its requests see it. */
import type { Service } from "../login/service.ts";
import type { Session } from "../login/session.ts";
import type { Stream } from "../net/stream.ts";

export interface ClientConnection {
  readonly store: Service;
  readonly stream: Stream;
  /** The client's numeric address, without the port. */
  readonly host: string;
  /** Aborted when the connection ends, for whatever reason. */
  readonly ended: AbortController;
  readonly session: Session | undefined;
  /** The account that is logged in, for the access log; in FTP also one that is logging in. */
  account: string | null;
}

/** A connection that has logged in. */
export type LoggedIn<C extends ClientConnection> = C & { readonly session: Session };
