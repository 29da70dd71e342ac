/**
 * Checks codes against a stored second factor, and returns the factor as it is stored after the use of a code.
 *
 * Each code is right once. After a code of an app, only codes of later time steps are right (RFC 6238,
 * section 5.2); a recovery code is removed. Storage applies these rules in the transaction that writes the
 * result, so that of two logins with the same code one succeeds.
 */
import { createHash } from "node:crypto";
import { isTimeCode, plainCode, stepOfCode } from "../protocol/totp.ts";

/** The second factor of an account. */
export interface SecondFactor {
  /** In base32. */
  readonly secret: string;
  /** The last time step whose code was used. */
  readonly step: number;
  /** The digests of the unused recovery codes. */
  readonly recovery: readonly string[];
}

/**
 * Uses a code.
 *
 * @param nowMs the time of storage, in ms since 1970
 * @returns the factor after the use; undefined for a wrong or used code
 *
 * @example
 * ```ts
 * import { afterCode } from "./second_factor.ts";
 * const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"; // RFC 6238, appendix B
 * const used = afterCode({ secret, step: 0, recovery: [] }, "287 082", 59_000);
 * if (used?.step !== 1 || afterCode(used, "287082", 59_000) !== undefined) throw new Error();
 * ```
 */
export function afterCode(
  factor: SecondFactor,
  code: string,
  nowMs: number,
): SecondFactor | undefined {
  const plain = plainCode(code);
  if (isTimeCode(plain)) {
    const step = stepOfCode(factor.secret, plain, nowMs);
    return step === undefined || step <= factor.step ? undefined : { ...factor, step };
  }
  const digest = recoveryDigest(plain);
  if (!factor.recovery.includes(digest)) return undefined;
  return { ...factor, recovery: factor.recovery.filter((unused) => unused !== digest) };
}

/**
 * Returns the digest under which a recovery code is stored. A slow hash is not needed, since the 80 random bits
 * of a code can't be guessed.
 */
export function recoveryDigest(code: string): string {
  return createHash("sha256").update(`recovery\n${plainCode(code)}`).digest("hex");
}
