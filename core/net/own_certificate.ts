/**
 * A server's own certificate, in the folder `tls` of its data directory: `cert.pem` and `key.pem`,
 * for its owner's eyes alone. Of two starters one wins, and both use what it made.
 */
import { typed } from "../error.ts";
import { type Certificate, type Files, loadCertificate } from "./certificate.ts";
import { createFolder } from "../disk/atomic_folder.ts";

/** Where the certificate of a data directory lies. */
export function ownFiles(data: string): Files {
  return { cert: `${data}/tls/cert.pem`, key: `${data}/tls/key.pem` };
}

/**
 * The certificate of a data directory, or undefined when none was made yet.
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
 * The certificate of a data directory, made if there is none.
 *
 * @param hosts where the server listens: in the certificate, beside this machine's names
 * @throws {BargeError} as {@link loadCertificate}; `fatal` or `no-space` when it can't be kept
 */
export async function ownCertificate(
  data: string,
  hosts: readonly string[],
): Promise<Certificate> {
  const there = await readOwnCertificate(data);
  if (there) return there;
  const { makeSelfSigned } = await import("./self_signed.ts");
  const pair = await makeSelfSigned(names(hosts));
  await createFolder(`${data}/tls`, { "cert.pem": pair.cert, "key.pem": pair.key });
  return await loadCertificate(ownFiles(data));
}

/** The names that a server on this machine may be called by. */
function names(hosts: readonly string[]): string[] {
  const fixed = ["localhost", "127.0.0.1", "::1"];
  const named = hosts.filter((host) => !["0.0.0.0", "::", ""].includes(host));
  const found = [hostname(), ...named, ...fixed];
  // A zone belongs to this machine alone, and what is no name would not go into a certificate.
  const plain = found.map((name) => name.replace(/%.*/, ""));
  return [...new Set(plain)].filter((name) => /^[A-Za-z0-9._:-]+$/.test(name));
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
