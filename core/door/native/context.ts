/** A connection of BARGE/1 as the handlers of its requests see it. */
import type { BargeError } from "../../error.ts";
import type { Service } from "../../login/service.ts";
import type { Challenge } from "../../login/login.ts";
import type { Session } from "../../login/session.ts";
import type { Stream } from "../../net/stream.ts";
import type { Body } from "../../protocol/frame.ts";
import type { Request, Trailer, Verb } from "../../protocol/message.ts";
import type { FrameReader } from "../../protocol/reader.ts";
import type { Access } from "../access.ts";
import type { Output } from "./output.ts";
import type { Pauses } from "./pause.ts";
import type { Window } from "./window.ts";

export interface Context {
  readonly store: Service;
  readonly stream: Stream;
  /** The client's numeric address, without the port. */
  readonly host: string;
  readonly reader: FrameReader;
  readonly output: Output;
  /** The pauses of its requests; undefined: none are allowed. */
  readonly pauses: Pauses | undefined;
  /** Aborted when the connection ends, for whatever reason. */
  readonly ended: AbortController;
  /** The small uploads that are not answered yet. */
  readonly window: Window;
  /** The certificates of which a login here must be bound to one; empty without TLS. */
  readonly endPoints: readonly string[];
  readonly session: Session | undefined;
  /** True after `hello`. */
  greeted: boolean;
  /** The challenge that the next `proof` answers. */
  challenge: Challenge | undefined;
  /** The name of the account that is logged in. */
  account: string | null;

  /** Drops an unanswered challenge, which counts as a failed login of the address. */
  forgetChallenge(): Promise<void>;

  /**
   * Makes the session this connection's, in place of the one before.
   *
   * @throws {BargeError} `unavailable` when its account has too many; the former session stays
   */
  admit(session: Session): void;

  /**
   * Waits between a request and its answer; less, when the connection ends.
   *
   * @param done ends the wait, too
   * @throws {BargeError} why it ended; `unavailable` when the client has left
   */
  pause(ms: number, done?: AbortSignal): Promise<void>;

  /**
   * Runs work that may wait for a check of an upload, and watches the connection meanwhile.
   *
   * @param work gets a signal that is aborted when the client leaves
   */
  watched<T>(work: (gone: AbortSignal) => Promise<T>): Promise<T>;

  /** Returns a record of the access log for one file of a request that has many. */
  access(verb: Verb, path: string): Access;

  /** Reads the frame behind a body. */
  trailer(): Promise<Trailer>;

  /** Ends the connection at once, whatever is under way. */
  cut(reason: BargeError): void;
}

/** A connection that has logged in. */
export interface LoggedIn extends Context {
  readonly session: Session;
}

export function isLoggedIn(c: Context): c is LoggedIn {
  return c.session !== undefined;
}

/** The body behind a request's frame. */
export interface BodyState {
  readonly body: Body;
  /** The request's record in the access log, which counts the body's bytes. */
  readonly access: Access;
  /** Called by the handler before it reads the body and the trailer. */
  readonly taken: () => void;
}

interface VerbFacts {
  /** True if it may begin while small uploads are being committed. */
  readonly overlaps?: boolean;
  /** True if a body may follow the request. */
  readonly body?: boolean;
}

/** The fields of an answer, or null when the handler has sent the answer itself. */
type Fields = object | null;

/** How a verb is served: before a login, or only after one. */
export type Handler<V extends Verb> =
  & VerbFacts
  & (
    | {
      readonly login: false;
      handle(c: Context, request: Request<V>, body: BodyState): Promise<Fields> | Fields;
    }
    | {
      readonly login: true;
      handle(c: LoggedIn, request: Request<V>, body: BodyState): Promise<Fields> | Fields;
    }
  );
