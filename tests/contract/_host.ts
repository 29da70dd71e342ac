/** The servers that the contract is checked on. */
import { type Server, type ServerOptions, startServer } from "../_server.ts";

export type HostOptions = Pick<ServerOptions, "env" | "spreadRequests">;

export interface Host {
  /** Ends the names of tests. */
  readonly name: string;
  /** Whether it can't be started here. */
  readonly missing: boolean;
  /** Whether the files are on the server's disk, under their own names. */
  readonly hasFiles: boolean;
  /** @param args more arguments for `serve` */
  start(args: readonly string[], options?: HostOptions): Promise<Server>;
}

/** One server with two workers, and its data directory. */
export const oneMachine: Host = {
  name: "",
  missing: false,
  hasFiles: true,
  start: (args, options) => startServer({ args: ["--workers", "2", ...args], ...options }),
};
