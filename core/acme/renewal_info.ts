/**
 * The window in which an authority wants a certificate to be renewed (RFC 9773, ACME Renewal Information). It asks
 * for an early renewal before it revokes a certificate, and spreads renewals over time.
 */
import * as v from "valibot";
import { BargeError } from "../error.ts";
import { sendRequest } from "../outbound/request.ts";
import { retryAfterMs } from "../outbound/retry.ts";
import { keyIdOf } from "./certificates.ts";
import { checked, readDirectory, userAgent } from "./connection.ts";
import { failureOf } from "./failure.ts";
import { base64url } from "./jws.ts";
import type { KeptRecord } from "./kept.ts";
import type { Window } from "./schedule.ts";
import type { AcmeSetup } from "./setup.ts";

const time = v.pipe(v.string(), v.isoTimestamp(), v.transform((text) => new Date(text)));

const renewalInfo = v.object({
  suggestedWindow: v.object({ start: time, end: time }),
  explanationURL: v.optional(v.string()),
});

/** The answer of an authority. */
export interface RenewalInfo {
  readonly window: Window;
  /** The page with the reason. */
  readonly explanation?: string;
  /** The time until the authority wants to be asked again, in ms; undefined: it does not say. */
  readonly askAgainMs: number | undefined;
}

/**
 * Asks for the window of a certificate.
 *
 * @returns undefined where the authority suggests none
 * @throws {AcmeFailure} and {BargeError} `unavailable`, `protocol`
 */
export async function askRenewalInfo(
  setup: Pick<AcmeSetup, "directory" | "trust">,
  kept: Pick<KeptRecord, "cert">,
  signal: AbortSignal,
): Promise<RenewalInfo | undefined> {
  const { directory, trust } = setup;
  const { renewalInfo: base } = await readDirectory({ url: directory, trust, signal });
  const id = base === undefined ? undefined : await idOf(kept.cert);
  if (id === undefined) return undefined;
  const url = `${base!.replace(/\/$/, "")}/${id}`;
  const headers = { "user-agent": userAgent };
  const answer = await sendRequest({ url, headers, trust, signal });
  if (answer.status !== 200) throw failureOf(answer, url);
  const { suggestedWindow: window, explanationURL } = checked(renewalInfo, answer.body, url);
  if (window.end <= window.start) {
    const why = "the window for the renewal ends before it starts";
    throw new BargeError("protocol", why, { op: "ask the certificate authority", path: url });
  }
  return { window, explanation: explanationURL, askAgainMs: retryAfterMs(answer.headers) };
}

/** Returns the id of a certificate in PEM; undefined for one that does not name its authority's key. */
export async function idOf(cert: string): Promise<string | undefined> {
  const { keyId, serial } = await keyIdOf(cert);
  return keyId === undefined ? undefined : certificateId(keyId, serial);
}

/**
 * Returns the id by which an authority knows a certificate (RFC 9773, section 4.1).
 *
 * @param keyId the key identifier of the authority, in hex
 * @param serial the serial number, in hex
 *
 * @example
 * ```ts
 * import { certificateId } from "./renewal_info.ts";
 * const id = certificateId("69885b6b87464041e1b37b847ba0ae2cde01c8d4", "87654321");
 * if (id !== "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE") throw id;
 * ```
 */
export function certificateId(keyId: string, serial: string): string {
  const even = serial.length % 2 === 0 ? serial : `0${serial}`;
  // DER has a zero in front of a positive number whose first bit is set.
  const encoded = parseInt(even[0], 16) < 8 ? even : `00${even}`;
  return [keyId, encoded].map((hex) => base64url(Uint8Array.fromHex(hex))).join(".");
}
