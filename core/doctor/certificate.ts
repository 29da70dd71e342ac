/** Checks the certificates: that they can be used, when they end, and which names they have. */
import { counted } from "../counted.ts";
import { dayMs } from "../duration.ts";
import { isIP } from "node:net";
import { X509Certificate } from "node:crypto";
import { keptCertificate } from "../acme/kept.ts";
import { BargeError } from "../error.ts";
import { isLoopback } from "../net/address.ts";
import { type Certificate, loadCertificate } from "../net/certificate.ts";
import { ownFiles, readOwnCertificate } from "../net/own_certificate.ts";
import { securedHosts } from "../serve/door_specs.ts";
import { AcmeFiles } from "../local/vault/acme_files.ts";
import { AcmeSecrets } from "../shared/acme_secrets.ts";
import { findCertificate } from "../shared/identity.ts";
import { type AcmeRecords, readRenewal, type Renewal } from "../storage/acme.ts";
import type { Verdict } from "./finding.ts";
import { unreadable } from "./readable.ts";
import type { LocalSetup, Setup, SharedSetup } from "./setup.ts";

/** The days before the end of a certificate from which it is a warning, and a fault. */
const warnDays = 21;
const badDays = 3;

/** Checks the certificate of --tls-cert. */
export async function checkGivenCertificate(setup: Setup | LocalSetup): Promise<Verdict[]> {
  const { tlsCert: cert, tlsKey: key } = setup;
  if (cert === undefined || key === undefined) return [];
  const refusal = unreadable(setup, "the certificate of --tls-cert", cert);
  if (refusal) return [refusal];
  return await verdictsOf(setup, cert, () => loadCertificate({ cert, key }));
}

/** Checks the certificate that barge has made in the data directory. */
export async function checkOwnCertificate(setup: LocalSetup): Promise<Verdict[]> {
  if (setup.tlsCert !== undefined || securedHosts(setup.doors).length === 0) return [];
  if (setup.acme) return await acmeVerdicts(setup, new AcmeFiles(setup.data));
  return await verdictsOf(setup, ownFiles(setup.data).cert, () => readOwnCertificate(setup.data));
}

/** Checks the certificate that the nodes have made and share. */
export async function checkSharedCertificate(setup: SharedSetup): Promise<Verdict[]> {
  if (setup.tlsCert !== undefined || securedHosts(setup.doors).length === 0) return [];
  if (setup.acme) return await acmeVerdicts(setup, new AcmeSecrets(setup.storage.parts));
  const { secrets } = setup.storage.parts;
  return await verdictsOf(setup, undefined, () => findCertificate(secrets));
}

/** Checks the certificate of --proxy-cert, which has no key here. */
export function checkProxyCertificate({ proxyCert: path }: Setup): Verdict[] {
  if (path === undefined) return [];
  const label = "The certificate of the proxy";
  try {
    const { validTo } = new X509Certificate(Deno.readTextFileSync(path));
    return [endVerdict(label, new Date(validTo), path)];
  } catch {
    const message = `${label} can't be read as PEM.`;
    const advice =
      "Name the proxy's certificate with --proxy-cert, in a file that the server can read.";
    return [{ severity: "bad", message, advice, path }];
  }
}

/** Judges the certificate by ACME, and the tries to renew it. */
async function acmeVerdicts(setup: Setup, records: AcmeRecords): Promise<Verdict[]> {
  const [kept, renewal] = [await keptCertificate(records), await readRenewal(records)];
  const verdicts = kept
    ? [renewedVerdict(kept, renewal), namesVerdict(kept, setup, undefined)]
    : [];
  if (renewal?.failed) {
    const { failures, failed: { at, why }, next } = renewal;
    const tries = counted(failures, "try", "tries");
    const message = `The certificate was not renewed: ${tries} failed, the last at ${at}: ${why}.`;
    const advice = "Correct that, and send SIGHUP to the server, which then tries again at once; " +
      `else it tries at ${next}.`;
    return [...verdicts, { severity: kept ? "warn" : "bad", message, advice }];
  }
  if (kept) return verdicts;
  const message = "There is no certificate by ACME yet; the server gets one after its start.";
  return [{ severity: "note", message }];
}

/** Judges the end of a certificate by ACME: it is renewed long before, unless no server runs. */
function renewedVerdict({ until }: Certificate, renewal: Renewal | undefined): Verdict {
  const day = (time: string) => time.slice(0, 10);
  const end = `The certificate by ACME ends on ${day(until.toISOString())}`;
  if (!renewal || Date.parse(renewal.next) + dayMs > Date.now()) {
    const next = renewal ? `, and is renewed on ${day(renewal.next)}` : "";
    return { severity: "ok", message: `${end}${next}.` };
  }
  const message = `${end}, and was to be renewed on ${day(renewal.next)}.`;
  return { severity: "warn", message, advice: "Start the server, which then renews it." };
}

async function verdictsOf(
  setup: Setup,
  path: string | undefined,
  read: () => Promise<Certificate | undefined>,
): Promise<Verdict[]> {
  let certificate: Certificate | undefined;
  try {
    certificate = await read();
  } catch (error) {
    if (!(error instanceof BargeError) || error.kind !== "fatal") throw error;
    const message = `The certificate can't be used: ${error.message}.`;
    const advice = sentence(error.hint ?? "correct --tls-cert and --tls-key");
    return [{ severity: "bad", message, advice, path: error.path ?? path }];
  }
  if (!certificate) {
    const message = "There is no certificate yet; the next start makes one.";
    return [{ severity: "note", message, path }];
  }
  return [
    endVerdict("The certificate", certificate.until, path),
    namesVerdict(certificate, setup, path),
  ];
}

/** Judges the end of a certificate. */
function endVerdict(label: string, until: Date, path: string | undefined): Verdict {
  const days = Math.floor((until.getTime() - Date.now()) / dayMs);
  const day = until.toISOString().slice(0, 10);
  if (days < 0) {
    const message = `${label} ended on ${day}.`;
    return { severity: "bad", message, advice: "Renew it.", path };
  }
  const message = `${label} ends on ${day}, in ${counted(days, "day")}.`;
  if (days >= warnDays) return { severity: "ok", message, path };
  const advice = "Renew it, and send SIGHUP to the server, which then reads the files again.";
  return { severity: days < badDays ? "bad" : "warn", message, advice, path };
}

/**
 * Judges the names of a certificate. Clients use the host of --public-url, unless a proxy is there, and may
 * use the addresses of the doors.
 */
function namesVerdict(
  { cert, names }: Certificate,
  { publicUrl, doors }: Setup,
  path: string | undefined,
): Verdict {
  if (names.length === 0) {
    const message = "The certificate has no names, so clients refuse it.";
    return { severity: "bad", message, advice: "Make one with the server's name.", path };
  }
  const certificate = new X509Certificate(cert);
  const covers = (host: string) =>
    (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined;
  const http = doors.find(({ name, metricsOnly, challengesOnly }) =>
    name === "http" && !metricsOnly && !challengesOnly
  );
  const direct = http?.tls === "require" && !http.trustedProxies?.length;
  const publicHost = publicUrl && direct ? new URL(publicUrl).hostname.replace(/^\[|\]$/g, "") : "";
  if (publicHost && !covers(publicHost)) {
    const message = `The certificate is not for the host of --public-url, ${publicHost}, but for ` +
      `${names.join(", ")}.`;
    const advice = "Use a certificate with that name, or correct --public-url.";
    return { severity: "warn", message, advice, path };
  }
  const bound = [...new Set(securedHosts(doors))].filter((host) =>
    !isLoopback(host) && !["0.0.0.0", "::", ""].includes(host) && !covers(host)
  );
  const message = `The certificate is for ${names.join(", ")}` +
    (bound.length > 0 ? `, and not for ${bound.join(", ")}, where doors listen.` : ".");
  return { severity: bound.length > 0 ? "note" : "ok", message, path };
}

function sentence(text: string): string {
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}
