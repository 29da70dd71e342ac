/**
 * Makes what an authority wants to see: certificate requests, and certificates that answer challenges; and reads from
 * a certificate how the authority names it.
 */
import { dayMs } from "../duration.ts";
import type { ChallengePair } from "../storage/acme.ts";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
/** The extension `acmeIdentifier` (RFC 8737, section 3). */
const acmeIdentifier = "1.3.6.1.5.5.7.1.31";

/** Makes a private key, in PEM. */
export async function makeKey(): Promise<string> {
  const x509 = await library();
  const { privateKey } = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const key = await crypto.subtle.exportKey("pkcs8", privateKey);
  return x509.PemConverter.encode(key, "PRIVATE KEY") + "\n";
}

/**
 * Makes a certificate request (RFC 2986) in DER.
 *
 * @param key as {@link makeKey} returns it
 */
export async function makeRequest(
  domains: readonly string[],
  key: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const x509 = await library();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    keys: await readKeys(key),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension(
        domains.map((value) => ({ type: "dns" as const, value })),
      ),
    ],
  });
  return new Uint8Array(request.rawData);
}

/**
 * Makes the certificate that answers a challenge by TLS (RFC 8737, section 3).
 *
 * @param authorization the key authorization (RFC 8555, section 8.1)
 */
export async function makeChallengePair(
  domain: string,
  authorization: string,
): Promise<ChallengePair> {
  const x509 = await library();
  const key = await makeKey();
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(authorization));
  // An OCTET STRING of the digest: the tag, the length, the bytes.
  const value = Uint8Array.of(4, digest.byteLength, ...new Uint8Array(digest));
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: ["barge"] }],
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + dayMs),
    signingAlgorithm: algorithm,
    keys: await readKeys(key),
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: "dns", value: domain }]),
      new x509.Extension(acmeIdentifier, true, value),
    ],
  });
  return { cert: certificate.toString("pem") + "\n", key };
}

/**
 * Returns the serial number of a certificate in PEM, and the identifier of its authority's key (RFC 5280, section
 * 4.2.1.1), both in hex. The identifier is undefined for a certificate that has none.
 */
export async function keyIdOf(
  cert: string,
): Promise<{ readonly keyId: string | undefined; readonly serial: string }> {
  const x509 = await library();
  const certificate = new x509.X509Certificate(x509.PemConverter.decode(cert)[0]);
  const extension = certificate.getExtension(x509.AuthorityKeyIdentifierExtension);
  return { keyId: extension?.keyId, serial: certificate.serialNumber };
}

/** Imports the X.509 library, which only an order needs. */
async function library() {
  await import("reflect-metadata"); // needed by @peculiar/x509
  return await import("@peculiar/x509");
}

async function readKeys(pem: string): Promise<CryptoKeyPair> {
  const x509 = await library();
  const der = x509.PemConverter.decode(pem)[0];
  const privateKey = await crypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"]);
  const { crv, kty, x, y } = await crypto.subtle.exportKey("jwk", privateKey);
  const jwk = { crv, kty, x, y };
  const publicKey = await crypto.subtle.importKey("jwk", jwk, algorithm, true, ["verify"]);
  return { privateKey, publicKey };
}
