/** Makes self-signed certificates: EC P-256, signed with SHA-256, valid for ten years. */
import { dayMs } from "../duration.ts";
import { isIP } from "node:net";
import type { KeyPair } from "./certificate.ts";

const lifetimeMs = 3650 * dayMs;

/**
 * Makes a key and a certificate that is signed with it. The X.509 library is imported when this is
 * called, since a server makes its certificate only once.
 *
 * @param hosts the names and addresses of the server
 */
export async function makeSelfSigned(
  hosts: readonly string[],
  { from = new Date(Date.now() - dayMs), until = new Date(from.getTime() + lifetimeMs) } = {},
): Promise<KeyPair> {
  await import("reflect-metadata"); // needed by @peculiar/x509
  const x509 = await import("@peculiar/x509");
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const serial = crypto.getRandomValues(new Uint8Array(16));
  serial[0] = serial[0] & 0x7f | 0x40; // a positive number of 16 bytes
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial.toHex(),
    name: [{ CN: ["barge"] }],
    notBefore: from,
    notAfter: until,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    keys,
    extensions: [
      // No authority: the key can't sign certificates of other servers.
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(hosts.map((value) => ({
        type: isIP(value) ? "ip" as const : "dns" as const,
        value,
      }))),
    ],
  });
  const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    cert: certificate.toString("pem") + "\n",
    key: x509.PemConverter.encode(key, "PRIVATE KEY") + "\n",
  };
}
