/** What a session's commands leave behind for those that follow. */
import { type Fact, facts } from "./listing.ts";

export interface State {
  /** As USER said it; undefined: it did not. */
  user: string | undefined;
  /** Failed logins. */
  failures: number;
  /** Where relative paths begin. */
  folder: string;
  /** Type A, or I. */
  ascii: boolean;
  /** PBSZ was given. */
  buffered: boolean;
  /** PROT P: data connections are to use TLS. */
  protect: boolean;
  /** EPSV ALL: no other way to a data connection may be asked for. */
  extendedOnly: boolean;
  /** Where the next transfer begins. */
  restart: number;
  /** What RNFR named. */
  renameFrom: string | undefined;
  /** What ALLO asked for. */
  reserve: number | undefined;
  /** What MLST and MLSD tell. */
  facts: ReadonlySet<Fact>;
  /** What HASH makes. */
  algorithm: "sha256" | "md5";
}

export function freshState(): State {
  return {
    user: undefined,
    failures: 0,
    folder: "/",
    ascii: true,
    buffered: false,
    protect: false,
    extendedOnly: false,
    restart: 0,
    renameFrom: undefined,
    reserve: undefined,
    facts: new Set(facts),
    algorithm: "sha256",
  };
}
