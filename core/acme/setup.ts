/** The operator's options of certificates by ACME. */
import type { ExternalAccount } from "./external_account.ts";

/** The challenges that barge answers: by HTTP on port 80, or by TLS on port 443. */
export const challengeTypes = ["http-01", "tls-alpn-01"] as const;
export type ChallengeType = typeof challengeTypes[number];

/** Let's Encrypt. */
export const defaultDirectory = "https://acme-v02.api.letsencrypt.org/directory";

export interface AcmeSetup {
  /** The domains of the certificate, each as `isDomain` accepts it. */
  readonly domains: readonly string[];
  /** An address that the authority may write to. */
  readonly email?: string;
  /** The key that a new account is bound to, if the authority asks for one. */
  readonly external?: ExternalAccount;
  /** The URL of the authority's directory. */
  readonly directory: string;
  /** Authorities to trust beside the system's for the connection to the directory, in PEM. */
  readonly trust: readonly string[];
  readonly challenge: ChallengeType;
}

/** Returns whether two lists have the same domains. */
export function sameDomains(a: readonly string[], b: readonly string[]): boolean {
  return a.toSorted().join() === b.toSorted().join();
}
