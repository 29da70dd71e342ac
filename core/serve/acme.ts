/** Certificates by ACME in a server: which challenge its doors answer, and the renewal. Loaded code: core/acme. */
import { getLogger } from "@logtape/logtape";
import type { ExternalAccount } from "../acme/external_account.ts";
import type { ChallengeType } from "../acme/setup.ts";
import type { DoorSpec } from "../door/door.ts";
import { BargeError } from "../error.ts";
import type { Address } from "../net/address.ts";
import type { Certificate } from "../net/certificate.ts";
import type { Ground } from "./ground.ts";

const log = getLogger(["barge", "serve"]);

/** The operator's options. */
export interface AcmeOptions {
  readonly domains: readonly string[];
  readonly email?: string;
  readonly external?: ExternalAccount;
  /** The URL of the authority's directory. */
  readonly directory: string;
  /** Authorities to trust beside the system's for the connection to the directory, in PEM. */
  readonly trust: readonly string[];
  /** Default: the one that fits the doors. */
  readonly challenge?: ChallengeType;
  /** Where a listener of its own answers challenges by HTTP; null: nowhere. */
  readonly http: Address | null;
}

/**
 * Returns the challenge that the doors answer: by default `http-01` where there is an HTTP listener without TLS,
 * else `tls-alpn-01`.
 *
 * @throws {BargeError} `usage` where no door can answer it, or none has TLS
 */
export function challengeOf(
  { challenge, http }: AcmeOptions,
  doors: readonly DoorSpec[],
): ChallengeType {
  if (doors.every(({ tls }) => tls === "off")) {
    const hint = "add --tls, or listen on an address that other machines reach";
    throw new BargeError("usage", "--acme needs a door with TLS", { hint });
  }
  const web = doors.filter(({ name, metricsOnly }) => name === "http" && !metricsOnly);
  const byHttp = http !== null || web.some(({ tls }) => tls === "off");
  const byTls = doors.some(({ name, tls, metricsOnly }) =>
    (name === "http" || name === "native") && tls === "require" && !metricsOnly
  );
  const chosen = challenge ?? (byHttp ? "http-01" : "tls-alpn-01");
  // A redirect from port 80 may lead the authority to an HTTP door with TLS.
  if (chosen === "http-01" && (byHttp || web.length > 0)) return chosen;
  if (chosen === "tls-alpn-01" && byTls) return chosen;
  throw new BargeError("usage", `no door answers the challenge ${chosen}`, {
    hint: chosen === "http-01"
      ? "add --acme-http 0.0.0.0:80"
      : "add --acme-http 0.0.0.0:80, or an HTTP or native door with TLS",
  });
}

/** Returns the certificate that is kept; undefined if there is none that can be used now. @throws {BargeError} */
export async function keptCertificate({ acme }: Ground): Promise<Certificate | undefined> {
  const { keptCertificate } = await import("../acme/kept.ts");
  return await keptCertificate(acme, (why) => {
    log.warn("the certificate by ACME can't be used: {why}", { why });
  });
}

/** A renewal that runs until its disposal. */
export interface Renewing extends AsyncDisposable {
  /** Tries again now, if the last try has failed. */
  retry(): void;
}

/**
 * Starts to renew the certificate.
 *
 * @param shown the fingerprint of the certificate that the server shows now
 * @param onCertificate shows another certificate
 */
export async function startRenewal(
  ground: Ground,
  { challenge, ...acme }: AcmeOptions & { readonly challenge: ChallengeType },
  shown: string | undefined,
  onCertificate: (certificate: Certificate) => void,
): Promise<Renewing> {
  const { Renewer } = await import("../acme/renewer.ts");
  return new Renewer({
    setup: { ...acme, challenge },
    store: ground.acme,
    shown,
    onCertificate,
    onRenewal({ next, failures }) {
      ground.metrics.setGauge("certificateRenewal", Date.parse(next));
      ground.metrics.setGauge("certificateFailures", failures);
    },
  });
}
