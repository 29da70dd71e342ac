/**
 * The certificate that a server makes for itself, in the folder `tls` of its data directory: `cert.pem`
 * and `key.pem`, readable by the owner alone. Of two servers that start at once, one makes it and both
 * use it.
 */
import { typed } from "../error.ts";
import { type Certificate, type KeyPair, loadCertificate } from "./certificate.ts";
import { createFolder } from "../disk/atomic_folder.ts";

/** Returns the paths of the files of a data directory. */
export function ownFiles(data: string): KeyPair {
  return { cert: `${data}/tls/cert.pem`, key: `${data}/tls/key.pem` };
}

/**
 * Returns the certificate of a data directory; undefined if there is none yet.
 *
 * @throws {BargeError} as {@link loadCertificate}
 */
export async function readOwnCertificate(data: string): Promise<Certificate | undefined> {
  const files = ownFiles(data);
  return await exists(files.cert) || await exists(files.key)
    ? await loadCertificate(files)
    : undefined;
}

/**
 * Returns the certificate of a data directory, and makes it if there is none.
 *
 * @param hosts the addresses that the server listens on; this machine's names are added
 * @throws {BargeError} as {@link loadCertificate}; `fatal` or `no-space` when it can't be written
 */
export async function ownCertificate(data: string, hosts: readonly string[]): Promise<Certificate> {
  const existing = await readOwnCertificate(data);
  if (existing) return existing;
  const { makeSelfSigned } = await import("./self_signed.ts");
  const pair = await makeSelfSigned(ownNames(hosts));
  await createFolder(`${data}/tls`, { "cert.pem": pair.cert, "key.pem": pair.key });
  return await loadCertificate(ownFiles(data));
}

/** Returns the names of a server on this machine. */
export function ownNames(hosts: readonly string[]): string[] {
  const named = hosts.filter((host) => !["0.0.0.0", "::", ""].includes(host));
  const all = [hostname(), ...named, "localhost", "127.0.0.1", "::1"];
  // A zone is known to this machine only; a certificate can't hold other characters.
  return [...new Set(all.map((name) => name.replace(/%.*/, "")))]
    .filter((name) => /^[A-Za-z0-9._:-]+$/.test(name));
}

function hostname(): string {
  try {
    return Deno.hostname();
  } catch {
    return "";
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    throw typed(cause, { op: "read", path });
  }
}
