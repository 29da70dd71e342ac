/** A client's connection at a door, and the login on it. */
import type { BargeError } from "../error.ts";
import type { Service } from "../login/service.ts";
import type { Session } from "../login/session.ts";
import { parseAddress } from "../net/address.ts";
import { bareAddress } from "../net/address.ts";
import type { Stream } from "../net/stream.ts";

export class ClientConnection {
  readonly store: Service;
  readonly stream: Stream;
  /** The client's numeric address, without port and zone. */
  readonly host: string;
  session: Session | undefined;
  /** The account that is logged in, for the access log; in FTP also one that is logging in. */
  account: string | null = null;
  /** Made on first use, so that an idle connection takes less memory. */
  #ended: AbortController | undefined;
  #leaveAccount: () => void = () => {};

  /** @param stream taken over: it is closed when the connection ends */
  constructor(store: Service, stream: Stream) {
    this.store = store;
    this.stream = stream;
    this.host = bareAddress(parseAddress(stream.peer).host);
  }

  /** Aborted when the connection ends, for whatever reason. */
  get ended(): AbortController {
    return this.#ended ??= new AbortController();
  }

  /** Ends the connection at once. */
  cut(reason: BargeError): void {
    this.stream.close(reason);
    this.ended.abort(reason);
  }

  /**
   * Replaces the session of this connection.
   *
   * @param onEnd called when the login ends, with the reason
   * @returns false when the account has too many connections; the former session stays
   */
  protected logIn(session: Session, onEnd: (reason: BargeError) => void): boolean {
    const leave = this.store.gate.login(session.id);
    if (!leave) return false;
    this.leaveAccount();
    const leaveList = this.store.live.enter(session, onEnd);
    this.#leaveAccount = () => {
      leaveList();
      leave();
    };
    this.session = session;
    return true;
  }

  /** Gives back the account's place for this connection. */
  protected leaveAccount(): void {
    this.#leaveAccount();
    this.#leaveAccount = () => {};
  }
}

/** A connection that has logged in. */
export type LoggedIn<C extends ClientConnection> = C & { readonly session: Session };
