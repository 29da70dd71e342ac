/** A connection of BARGE/1 as the handlers of its requests see it. */
import type { Challenge } from "../../login/login.ts";
import type { Session } from "../../login/session.ts";
import type { Body } from "../../protocol/frame.ts";
import type { Request, Trailer, Verb } from "../../protocol/message.ts";
import type { FrameReader } from "../../protocol/reader.ts";
import type { Access } from "../access.ts";
import type { ClientConnection, LoggedIn } from "../client_connection.ts";
import type { Output } from "./output.ts";
import type { Pauses } from "./pause.ts";
import type { Window } from "./window.ts";

export interface Context extends ClientConnection {
  readonly reader: FrameReader;
  readonly output: Output;
  /** The pauses of a request; undefined: none are allowed. */
  readonly pauses: Pauses | undefined;
  /** The small uploads that are not answered yet. */
  readonly window: Window;
  /** A login must be bound to one of these certificates; empty without TLS. */
  readonly tlsBindings: readonly string[];
  /** True after `hello`. */
  greeted: boolean;
  /** The challenge that the next `proof` answers. */
  challenge: Challenge | undefined;

  /** Drops an unanswered challenge, which counts as a failed login of the address. */
  dropChallenge(): Promise<void>;

  /** Replaces the session. @throws {BargeError} `unavailable` when the account has too many connections */
  admit(session: Session): void;

  /**
   * Waits between a request and its answer.
   *
   * @param done ends the wait
   * @throws {BargeError} the reason why the connection ended; `unavailable` when the client has left
   */
  pause(ms: number, done?: AbortSignal): Promise<void>;

  /**
   * Runs work that may wait for a check of an upload, and reads the connection meanwhile.
   *
   * @param work gets a signal that is aborted when the client leaves
   */
  watched<T>(work: (gone: AbortSignal) => Promise<T>): Promise<T>;

  /** Begins the record in the access log for one file of a request that has many. */
  access(verb: Verb, path: string): Access;

  /** Reads the frame after a body. */
  trailer(): Promise<Trailer>;
}

/** A connection that has logged in. */
export type UserContext = LoggedIn<Context>;

/** The body after a request's frame. */
export interface BodyState {
  readonly body: Body;
  /** The request's record in the access log, which counts the body's bytes. */
  readonly access: Access;
  /** Called by the handler before it reads the body and the trailer. */
  readonly taken: () => void;
}

/** The handler of a verb. By default it needs a login. */
export type Handler<V extends Verb> =
  & {
    /** True if it may begin while small uploads are being committed. */
    readonly overlaps?: boolean;
    /** True if a body may follow the request. */
    readonly body?: boolean;
  }
  & (
    | { readonly login: false; readonly handle: Handle<Context, V> }
    | { readonly login?: true; readonly handle: Handle<UserContext, V> }
  );

/** @returns the fields of the answer, or null when the handler has sent the answer */
export type Handle<C, V extends Verb> = (
  c: C,
  request: Request<V>,
  body: BodyState,
) => Promise<object | null> | object | null;
