/** A certificate authority of its own, for tests. */
import { isIP } from "node:net";
import type { KeyPair } from "../../../core/net/certificate.ts";

const dayMs = 24 * 3600 * 1000;
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

export interface Authority {
  /** Its certificate, in PEM. */
  readonly cert: string;
  /** Makes the key and the certificate of a server. @param hosts its names and addresses */
  issue(hosts: readonly string[]): Promise<KeyPair>;
}

export async function makeAuthority(): Promise<Authority> {
  await import("reflect-metadata"); // needed by @peculiar/x509
  const x509 = await import("@peculiar/x509");
  const makeKeys = () => crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const time = {
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + dayMs),
    signingAlgorithm: algorithm,
  };
  const keys = await makeKeys();
  const issuer = "CN=An authority of the tests";
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...time,
    serialNumber: "01",
    name: issuer,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  return {
    cert: `${authority.toString("pem")}\n`,
    async issue(hosts) {
      const { publicKey, privateKey } = await makeKeys();
      const names = hosts.map((value) => ({ type: isIP(value) ? "ip" : "dns", value } as const));
      const certificate = await x509.X509CertificateGenerator.create({
        ...time,
        serialNumber: "02",
        subject: "CN=A server of the tests",
        issuer,
        publicKey,
        signingKey: keys.privateKey,
        extensions: [new x509.SubjectAlternativeNameExtension(names)],
      });
      const key = await crypto.subtle.exportKey("pkcs8", privateKey);
      return {
        cert: `${certificate.toString("pem")}\n`,
        key: `${x509.PemConverter.encode(key, "PRIVATE KEY")}\n`,
      };
    },
  };
}
