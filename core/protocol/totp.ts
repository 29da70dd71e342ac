/**
 * Codes of the second factor: TOTP (RFC 6238) with SHA-1, 6 digits and time steps of 30 s, which every
 * authenticator app knows, and recovery codes for the day on which the app is lost.
 */
import { Secret, TOTP } from "otpauth";

/** The time for which a code is shown, in ms. */
export const stepMs = 30_000;
/** The number of steps before and after the current one whose codes are accepted. */
const windowSteps = 1;
/** The length of a new secret (RFC 4226, section 4, R6), and the lengths that are accepted. */
const secretBytes = { new: 20, min: 16, max: 64 } as const;

const digits = 6;
const recoveryLetters = "23456789abcdefghijkmnpqrstuvwxyz";
const recoveryGroups = 4;
const groupLetters = 4;
/** The number of recovery codes that an account gets at once. */
export const recoveryCodeCount = 10;

/** Returns a new random secret, in base32 (RFC 4648). */
export function newSecret(): string {
  return new Secret({ size: secretBytes.new }).base32;
}

/**
 * Returns whether a text is a secret of an acceptable length, in base32 without padding.
 *
 * @example
 * ```ts
 * import { isSecret, newSecret } from "./totp.ts";
 * if (!isSecret(newSecret()) || isSecret("GEZDGNBV") || isSecret("not base32")) throw new Error();
 * ```
 */
export function isSecret(text: string): boolean {
  if (!/^[A-Z2-7]+$/.test(text)) return false;
  const bytes = Math.floor(text.length * 5 / 8);
  return bytes >= secretBytes.min && bytes <= secretBytes.max;
}

/**
 * Returns the URL that a QR code has for authenticator apps.
 *
 * @param secret in base32
 * @param issuer the server, as the app shows it
 *
 * @example
 * ```ts
 * import { otpauthUrl } from "./totp.ts";
 * const url = otpauthUrl({ secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", account: "ann", issuer: "box" });
 * if (!url.startsWith("otpauth://totp/box:ann?issuer=box&secret=GEZDGNBV")) throw new Error(url);
 * ```
 */
export function otpauthUrl(
  { secret, account, issuer }: {
    readonly secret: string;
    readonly account: string;
    readonly issuer: string;
  },
): string {
  return totpOf(secret, { label: account, issuer }).toString();
}

/**
 * Returns the time step whose code this is; undefined for a wrong code. Compares in constant time.
 *
 * @param secret in base32
 * @param nowMs milliseconds since 1970
 *
 * @example
 * ```ts
 * import { stepOfCode } from "./totp.ts";
 * const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"; // RFC 6238, appendix B
 * if (stepOfCode(secret, "287082", 59_000) !== 1) throw new Error();
 * if (stepOfCode(secret, "287082", 89_999) !== 1) throw new Error();
 * if (stepOfCode(secret, "287082", 90_000) !== undefined) throw new Error();
 * ```
 */
export function stepOfCode(secret: string, code: string, nowMs: number): number | undefined {
  const delta = totpOf(secret).validate({ token: code, timestamp: nowMs, window: windowSteps });
  return delta === null ? undefined : Math.floor(nowMs / stepMs) + delta;
}

/** Returns the code of a secret at a time, in ms since 1970. */
export function codeAt(secret: string, ms: number): string {
  return totpOf(secret).generate({ timestamp: ms });
}

/**
 * Returns a code without the spaces and hyphens that people type, in lower case.
 *
 * @example
 * ```ts
 * import { plainCode } from "./totp.ts";
 * if (plainCode(" 123 456\n") !== "123456" || plainCode("ABCD-efgh") !== "abcdefgh") throw new Error();
 * ```
 */
export function plainCode(code: string): string {
  return code.replace(/[\s-]/g, "").toLowerCase();
}

/** Returns whether a plain code is one of an app, and not a recovery code. */
export function isTimeCode(code: string): boolean {
  return code.length === digits && /^\d+$/.test(code);
}

/** Returns new recovery codes, each with 80 random bits: `abcd-efgh-ijkm-npqr`. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: recoveryCodeCount }, () => {
    const bytes = crypto.getRandomValues(new Uint8Array(recoveryGroups * groupLetters));
    const letters = Array.from(bytes, (byte) => recoveryLetters[byte & 31]).join("");
    return letters.match(new RegExp(`.{${groupLetters}}`, "g"))!.join("-");
  });
}

function totpOf(secret: string, names: { readonly label?: string; readonly issuer?: string } = {}) {
  const settings = { algorithm: "SHA1", digits, period: stepMs / 1000 } as const;
  return new TOTP({ ...names, ...settings, secret: Secret.fromBase32(secret) });
}
