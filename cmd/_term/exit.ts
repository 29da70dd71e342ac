/** From a kind of failure to the program's exit code. Frozen: scripts depend on it. */
import type { BargeError, Kind } from "../../core/error.ts";

/** What each kind of failure ends the program with. */
export const exitCodes = {
  io: 1,
  usage: 2,
  "no-directory": 3,
  "not-found": 4,
  unavailable: 5,
  "no-space": 5,
  changed: 5,
  refused: 6,
  protocol: 6,
  unsupported: 6,
  fatal: 7,
  denied: 11,
  unauthenticated: 11,
  "over-quota": 12,
  digest: 13,
  exists: 14,
  identity: 15,
  interrupted: 130,
} as const satisfies Record<Kind, number>;

/** A failure that has no kind: a mistake in barge. */
export const otherCode = 1;

/**
 * The code of several failures: the one that they share, else 1.
 *
 * @example
 * ```ts
 * import { sharedCode } from "./exit.ts";
 * if (sharedCode([]) !== 0) throw new Error();
 * if (sharedCode(["digest", "digest"]) !== 13) throw new Error();
 * if (sharedCode(["digest", "exists"]) !== 1) throw new Error();
 * ```
 */
export function sharedCode(failures: readonly Kind[]): number {
  const codes = new Set<number>(failures.map((kind) => exitCodes[kind]));
  if (codes.size === 0) return 0;
  const [code] = codes;
  return codes.size === 1 ? code : otherCode;
}

/** `kind` of an error as it is printed in `--json`. */
export function errorFields(error: BargeError): { kind: Kind; message: string } {
  return { kind: error.kind, message: error.message };
}
