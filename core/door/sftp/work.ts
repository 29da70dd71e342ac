/** The server's side of an SSH channel: an SFTP session, or a command. */
import type { Session } from "../../login/session.ts";
import type { Presence } from "../../watch/roster.ts";
import { Access } from "../access.ts";
import type { ChannelBytes } from "./bytes.ts";

export interface WorkOptions {
  readonly session: Session;
  /** HOST:PORT of the client. */
  readonly address: string;
  readonly bytes: ChannelBytes;
  /** The connection's record for listings; the work updates its request. */
  readonly presence: Presence;
  /** Aborted when the connection ends. */
  readonly ended: AbortSignal;
}

export abstract class Work {
  readonly session: Session;
  readonly bytes: ChannelBytes;
  readonly ended: AbortSignal;
  /** True when the server stops; from then on no file or folder may be opened. */
  stopping = false;
  protected readonly address: string;
  protected readonly presence: Presence;

  constructor({ session, address, bytes, presence, ended }: WorkOptions) {
    this.session = session;
    this.address = address;
    this.bytes = bytes;
    this.presence = presence;
    this.ended = ended;
  }

  /** True while a request or transfer is under way, which a stopping server waits for. */
  abstract get busy(): boolean;

  /** Serves the client until it is gone. Never throws. */
  abstract run(): Promise<void>;

  /** Begins a record of the access log. */
  access(verb: string, path: string | null, to?: string): Access {
    const { address, session } = this;
    const access = new Access({ door: "sftp", address, verb, path, to }, session.store.metrics);
    access.account = session.name;
    return access;
  }
}
