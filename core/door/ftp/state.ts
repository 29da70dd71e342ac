/** The state that commands of a control connection leave for later ones. */
import { type Fact, facts } from "./listing.ts";

export interface State {
  /** The argument of USER; undefined before it. */
  user: string | undefined;
  /** The number of failed logins. */
  failures: number;
  /** The working directory: relative paths begin here. */
  folder: string;
  /** True for type A, false for type I. */
  ascii: boolean;
  /** True after PBSZ. */
  buffered: boolean;
  /** True after PROT P: data connections use TLS. */
  protect: boolean;
  /** True after EPSV ALL: PASV, PORT and EPRT are refused. */
  extendedOnly: boolean;
  /** The offset of the next transfer, from REST. */
  restart: number;
  /** The path of RNFR. */
  renameFrom: string | undefined;
  /** The bytes of ALLO. */
  reserve: number | undefined;
  /** The facts that MLST and MLSD list. */
  facts: ReadonlySet<Fact>;
  /** The algorithm of HASH. */
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
