/** The work of a channel: an SFTP session or a command. */
import type { Session } from "../../login/session.ts";
import type { Presence } from "../../watch/roster.ts";
import type { ChannelBytes } from "./bytes.ts";

export interface Work {
  /** True while a request or transfer is under way, which a stopping server waits for. */
  readonly busy: boolean;
  /** Serves the client until it is gone. Never throws. */
  run(): Promise<void>;
  /** Begins nothing new, because the server stops. */
  leave(): void;
}

export interface WorkOptions {
  readonly session: Session;
  /** The name of the account that is logged in. */
  readonly account: string;
  /** HOST:PORT of the client. */
  readonly address: string;
  readonly bytes: ChannelBytes;
  /** Kept up to date. */
  readonly presence: Presence;
  /** Aborted when the connection ends. */
  readonly ended: AbortSignal;
}
