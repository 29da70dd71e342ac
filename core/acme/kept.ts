/** The certificate that the renewal keeps. */
import * as v from "valibot";
import { BargeError } from "../error.ts";
import { type Certificate, parseCertificate } from "../net/certificate.ts";
import { type AcmeRecords, type AcmeStore, parseRecord, readRenewal } from "../storage/acme.ts";

const record = v.object({
  directory: v.string(),
  domains: v.array(v.string()),
  cert: v.string(),
  key: v.string(),
});

/** A certificate in PEM, its key, and the authority and the domains that it was ordered for. */
export type KeptRecord = v.InferOutput<typeof record>;

/** A certificate that is kept. */
export type Kept = Certificate & KeptRecord;

/**
 * Returns the certificate that is kept; undefined if there is none that can be used now.
 *
 * @param onUnusable gets the reason why one that is kept can't be used, such as its end
 * @throws {BargeError} when the records can't be read
 */
export async function keptCertificate(
  records: AcmeRecords,
  onUnusable: (why: string) => void = () => {},
): Promise<Kept | undefined> {
  const text = await records.read("certificate");
  try {
    const kept = parseRecord(record, text);
    return kept && { ...kept, ...parseCertificate(kept) };
  } catch (error) {
    if (!(error instanceof BargeError) || error.kind !== "fatal") throw error;
    onUnusable(error.message);
    return undefined;
  }
}

/**
 * Returns the certificate by ACME that a server shows; undefined if it has none, and where the last server ran
 * without ACME.
 *
 * @throws {BargeError} when the records can't be read
 */
export async function certificateInUse(records: AcmeRecords): Promise<Kept | undefined> {
  return await readRenewal(records) && await keptCertificate(records);
}

/** Keeps a certificate in place of the former one. @throws {BargeError} */
export async function keepCertificate(store: AcmeStore, kept: KeptRecord): Promise<void> {
  await store.write("certificate", JSON.stringify(kept));
}
