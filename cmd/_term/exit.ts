/** The exit codes of the program. Frozen: scripts depend on them. */
import type { Kind } from "../../core/error.ts";

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
  "code-needed": 11,
  "over-quota": 12,
  digest: 13,
  exists: 14,
  identity: 15,
  interrupted: 130,
} as const satisfies Record<Kind, number>;

/** The exit code of a bug, and of failures with different codes. */
export const otherCode = 1;

/**
 * Returns the exit code of several failures: the code that they share, else 1.
 */
export function sharedCode(failures: readonly Kind[]): number {
  const codes = new Set<number>(failures.map((kind) => exitCodes[kind]));
  if (codes.size === 0) return 0;
  const [code] = codes;
  return codes.size === 1 ? code : otherCode;
}
