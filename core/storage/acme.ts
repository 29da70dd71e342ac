/**
 * The records of certificates by ACME (RFC 8555), and where they are kept. The supervisor writes them. Workers
 * read those of challenges, and the state of the renewal.
 */
import * as v from "valibot";
import { BargeError } from "../error.ts";

/**
 * The name of a record: the account at the authority, the order under way, the issued certificate, the state of
 * the renewal; and the answer to a challenge, by its token or its domain.
 */
export type AcmeRecord =
  | "account"
  | "order"
  | "certificate"
  | "renewal"
  | `challenges/http-${string}`
  | `challenges/tls-${string}`;

/** The records as a worker sees them. */
export interface AcmeRecords {
  /** Returns a record; undefined if there is none. @throws {BargeError} when it can't be read */
  read(name: AcmeRecord): Promise<string | undefined>;
}

/** The records as the supervisor sees them. */
export interface AcmeStore extends AcmeRecords {
  /** Replaces a record whole, also where the machine fails meanwhile. @throws {BargeError} */
  write(name: AcmeRecord, text: string): Promise<void>;
  /** Removes a record, if there is one. @throws {BargeError} */
  remove(name: AcmeRecord): Promise<void>;
  /**
   * Takes or renews the lease, which lets one node of several order a certificate.
   *
   * @param ms how long it lasts, by the clock of the storage
   * @returns whether this server holds it now
   * @throws {BargeError}
   */
  lease(ms: number): Promise<boolean>;
  /** Gives the lease up, if this server holds it. @throws {BargeError} */
  release(): Promise<void>;
}

const time = v.pipe(v.string(), v.isoTimestamp());

const renewal = v.object({
  /** The authority's directory, and the domains of the certificate. */
  directory: v.string(),
  domains: v.array(v.string()),
  /** The end of the certificate; absent: there is none yet. */
  until: v.optional(time),
  /** When the certificate is renewed, or the next try is. */
  next: time,
  /** The failed tries since the last success. */
  failures: v.pipe(v.number(), v.integer(), v.minValue(0)),
  /** The last failure; absent after a success. */
  failed: v.optional(v.object({ at: time, why: v.string() })),
  /** When the authority is asked next in which window it wants the renewal; absent: now. */
  ask: v.optional(time),
  /** Until when the authority does not want to be asked again. */
  retryAfter: v.optional(time),
});

/** The state of the renewal. */
export type Renewal = v.InferOutput<typeof renewal>;

/** Returns the state of the renewal; undefined if there is none. @throws {BargeError} when it can't be read */
export async function readRenewal(records: AcmeRecords): Promise<Renewal | undefined> {
  return parseRecord(renewal, await records.read("renewal"));
}

const keyPair = v.object({ cert: v.string(), key: v.string() });

/** A challenge's certificate and its key, in PEM. */
export type ChallengePair = v.InferOutput<typeof keyPair>;

/** Returns the certificate that answers the challenge of a domain; undefined if there is none. @throws {BargeError} */
export async function readChallengePair(
  records: AcmeRecords,
  domain: string,
): Promise<ChallengePair | undefined> {
  if (!isDomain(domain)) return undefined;
  return parseRecord(keyPair, await records.read(`challenges/tls-${domain}`));
}

/** Returns the text that answers a challenge by HTTP; undefined if there is none. @throws {BargeError} */
export async function readChallengeText(
  records: AcmeRecords,
  token: string,
): Promise<string | undefined> {
  if (!isToken(token)) return undefined;
  return await records.read(`challenges/http-${token}`);
}

const maxTokenCharacters = 200;
const maxDomainCharacters = 253;

/** Returns whether a text can be a challenge's token (RFC 8555, section 8.3): also a safe name of a file. */
export function isToken(text: string): boolean {
  return text.length <= maxTokenCharacters && /^[A-Za-z0-9_-]+$/.test(text);
}

/**
 * Returns whether a text is a domain that a certificate by HTTP or TLS can be for: of two labels or more, in lower
 * case, no address and no wildcard.
 *
 * @example
 * ```ts
 * import { isDomain } from "./acme.ts";
 * if (!isDomain("box.example") || !isDomain("xn--bcher-kva.example")) throw new Error();
 * for (const text of ["*.box.example", "127.0.0.1", "box", "Box.example", "a..example", "../b.example"]) {
 *   if (isDomain(text)) throw new Error(text);
 * }
 * ```
 */
export function isDomain(text: string): boolean {
  const label = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
  return text.length <= maxDomainCharacters &&
    new RegExp(`^(?:${label}\\.)+(?![0-9]+$)${label}$`).test(text);
}

/**
 * Parses a record.
 *
 * @returns undefined for no text
 * @throws {BargeError} `fatal` for a damaged record
 */
export function parseRecord<S extends v.GenericSchema>(
  schema: S,
  text: string | undefined,
): v.InferOutput<S> | undefined {
  if (text === undefined) return undefined;
  try {
    return v.parse(schema, JSON.parse(text));
  } catch (cause) {
    throw new BargeError("fatal", "a record of the certificate's renewal is damaged", { cause });
  }
}
