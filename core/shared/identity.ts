/** The certificate and the SSH host keys that all nodes show; the first node that needs them makes them. */
import { type Certificate, parseCertificate } from "../net/certificate.ts";
import { describeHostKey, type HostKey, makeHostKeys } from "../net/host_keys.ts";
import { ownNames } from "../net/own_certificate.ts";
import { makeSelfSigned } from "../net/self_signed.ts";
import type { Secrets } from "./secrets.ts";

const certificateName = "tls";
const hostKeysName = "ssh";

/** Returns the certificate. @param hosts the addresses that it is for, should this node make it */
export async function sharedCertificate(
  secrets: Secrets,
  hosts: readonly string[],
): Promise<Certificate> {
  const make = async () => JSON.stringify(await makeSelfSigned(ownNames(hosts)));
  return parseCertificate(JSON.parse(await secrets.get(certificateName, make)));
}

/** Returns the certificate; undefined where no node has made it yet. */
export async function findCertificate(secrets: Secrets): Promise<Certificate | undefined> {
  const text = await secrets.find(certificateName);
  return text === undefined ? undefined : parseCertificate(JSON.parse(text));
}

/** Returns the host keys, and the private keys in OpenSSH's format. */
export async function sharedHostKeys(
  secrets: Secrets,
): Promise<{ readonly shown: readonly HostKey[]; readonly secret: readonly string[] }> {
  const make = async () => JSON.stringify(await makeHostKeys());
  const files: Files = JSON.parse(await secrets.get(hostKeysName, make));
  return { shown: shownKeys(files), secret: privateNames(files).map((name) => files[name]) };
}

/** Returns the host keys; undefined where no node has made them yet. */
export async function findHostKeys(secrets: Secrets): Promise<readonly HostKey[] | undefined> {
  const text = await secrets.find(hostKeysName);
  return text === undefined ? undefined : shownKeys(JSON.parse(text));
}

/** The files of private keys by their names; those of public keys end with .pub. */
type Files = Readonly<Record<string, string>>;

function shownKeys(files: Files): HostKey[] {
  return privateNames(files).map((name) => describeHostKey(files[`${name}.pub`], `${name}.pub`));
}

function privateNames(files: Files): string[] {
  return Object.keys(files).filter((name) => !name.endsWith(".pub"));
}
