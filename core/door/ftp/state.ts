/** The state that commands of a control connection leave for later ones. */
import { type Fact, facts } from "./listing.ts";

/** The algorithms of HASH, with their names in replies. */
export const digestNames = { sha256: "SHA-256", md5: "MD5" };
export type Algorithm = keyof typeof digestNames;

export type State = ReturnType<typeof freshState>;

export function freshState() {
  return {
    /** The argument of USER; undefined before that command. */
    user: undefined as string | undefined,
    /** The number of failed logins. */
    failures: 0,
    /** The working directory, which relative paths begin at. */
    folder: "/",
    /** True for type A, false for type I. */
    ascii: true,
    /** True after PBSZ, which PROT requires. */
    pbszReceived: false,
    /** True after PROT P: data connections use TLS. */
    protect: false,
    /** True after EPSV ALL: PASV, PORT and EPRT are refused. */
    extendedOnly: false,
    /** The offset of the next transfer, from REST. */
    restart: 0,
    /** The path of RNFR. */
    renameFrom: undefined as string | undefined,
    /** The bytes of ALLO. */
    reserve: undefined as number | undefined,
    /** The facts that MLST and MLSD list. */
    facts: new Set<Fact>(facts),
    /** The algorithm of HASH. */
    algorithm: "sha256" as Algorithm,
  };
}
