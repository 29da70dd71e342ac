/** An SFTP session as the handlers of its requests see it. */
import type { Session } from "../../login/session.ts";
import type { Access } from "../access.ts";
import type { Handles } from "./handle.ts";

export interface Context {
  readonly session: Session;
  /** The name of the account that is logged in. */
  readonly account: string;
  readonly handles: Handles;
  /** Aborted when the connection ends. */
  readonly ended: AbortSignal;
  /** True when the server stops; nothing is opened from then on. */
  readonly leaving: boolean;

  /** Begins a record of the access log. */
  access(verb: string, path: string | null, to?: string): Access;
}
