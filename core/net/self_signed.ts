/** Makes self-signed certificates: EC P-256, SHA-256 signatures, good for ten years. */
import { isIP } from "node:net";
import type { KeyPair } from "./certificate.ts";

const day = 24 * 3600 * 1000;
const lifetime = 3650 * day;

/**
 * Makes a key and a certificate that it signed itself. The library is loaded only here: a server
 * needs it once in its life.
 *
 * @param hosts names and addresses that the server is reached by
 */
export async function makeSelfSigned(
  hosts: readonly string[],
  { from = new Date(Date.now() - day), until = new Date(from.getTime() + lifetime) } = {},
): Promise<KeyPair> {
  await import("reflect-metadata"); // the library's own parts find each other with it
  const x509 = await import("@peculiar/x509");
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const serial = crypto.getRandomValues(new Uint8Array(16));
  serial[0] = serial[0] & 0x7f | 0x40; // a positive number of 16 bytes
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: Array.from(serial, (byte) => byte.toString(16).padStart(2, "0")).join(""),
    name: [{ CN: ["barge"] }],
    notBefore: from,
    notAfter: until,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    keys,
    extensions: [
      // No authority: whoever has the key can be this server, and vouch for no other.
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
