/** Reads the certificate and the SSH host keys of a server from its storage. */
import { BargeError } from "../../core/error.ts";
import type { CertificateFacts } from "../../core/net/certificate.ts";
import type { HostKey } from "../../core/net/host_keys.ts";
import type { ServerFacts } from "../../core/serve/data.ts";
import {
  type AccountsValues,
  exists,
  noDirectory,
  noteData,
  noteServersElsewhere,
} from "./accounts.ts";

/** The facts of a certificate that are shown. */
export type Shown =
  & Pick<CertificateFacts, "names" | "from" | "until">
  & { readonly fingerprint: string };

/** The file that holds a certificate or key; null if the database holds it. */
interface File {
  readonly file: string | null;
}

/** The certificate and the host keys of a server. One of the two may not exist yet. */
export interface Own {
  readonly certificate: (Shown & File) | undefined;
  /** Whether the option --tls-cert gave the certificate's file. */
  readonly isGiven: boolean;
  readonly hostKeys: readonly (Omit<HostKey, "file"> & File)[] | undefined;
}

/**
 * Reads the certificate and the host keys from a data directory.
 *
 * @throws {BargeError} `not-found` if both are missing; the failure to read a file
 */
export async function ownOfDirectory(data: string): Promise<Own> {
  noteData(data);
  const { ownFiles, readOwnCertificate } = await import("../../core/net/own_certificate.ts");
  const { readHostKeys } = await import("../../core/net/host_keys.ts");
  const { lastServer } = await import("../../core/serve/data.ts");
  const { certificateInUse } = await import("../../core/acme/kept.ts");
  const { AcmeFiles } = await import("../../core/local/vault/acme_files.ts");
  const given = givenCertificate(lastServer(data));
  const { cert: file } = ownFiles(data);
  const issued = given ? undefined : await certificateInUse(new AcmeFiles(data));
  const made = given || issued ? undefined : await readOwnCertificate(data);
  const hostKeys = await readHostKeys(data);
  const isMissing = !given && !issued && !made && !hostKeys;
  if (isMissing && !exists(`${data}/accounts.db`)) throw await noDirectory(data);
  await noteServersElsewhere(data);
  if (isMissing) throw noneYet(file);
  const certificate = given ?? (issued ? { ...issued, file: null } : made && { ...made, file });
  return { certificate, isGiven: given !== undefined, hostKeys };
}

/** Returns the certificate of --tls-cert. */
function givenCertificate(server: ServerFacts | undefined): (Shown & File) | undefined {
  const given = server?.certificate;
  if (!given || given.file === null) return undefined;
  return { ...given, from: new Date(given.from), until: new Date(given.until) };
}

/**
 * Reads the certificate and the host keys from shared storage.
 *
 * @throws {BargeError} `not-found` if both are missing; as `openShared`
 */
export async function ownOfCluster(values: AccountsValues): Promise<Own> {
  const { openShared } = await import("./shared.ts");
  const { findCertificate, findHostKeys } = await import("../../core/shared/identity.ts");
  const { certificateInUse } = await import("../../core/acme/kept.ts");
  const { AcmeSecrets } = await import("../../core/shared/acme_secrets.ts");
  await using storage = await openShared(values);
  const { secrets } = storage.parts;
  const issued = await certificateInUse(new AcmeSecrets(storage.parts));
  const made = issued ?? await findCertificate(secrets);
  const hostKeys = await findHostKeys(secrets);
  if (!made && !hostKeys) throw noneYet();
  return {
    certificate: made && { ...made, file: null },
    isGiven: false,
    hostKeys: hostKeys?.map((key) => ({ ...key, file: null })),
  };
}

function noneYet(path?: string): BargeError {
  return new BargeError("not-found", "there is no certificate yet", {
    op: "cert",
    path,
    hint: "`barge serve` makes it when it first listens with TLS",
  });
}
