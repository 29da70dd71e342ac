/** The certificates that doors show. */
import { once } from "node:events";
import { connect, type PeerCertificate } from "node:tls";
import { parseAddress } from "../../core/net/address.ts";

/** Returns the certificate that a door inside TLS shows now. */
export async function shownBy(address: string | null): Promise<PeerCertificate> {
  const { host, port } = parseAddress(address!);
  const socket = connect({ host, port, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const certificate = socket.getPeerCertificate();
  socket.destroy();
  return certificate;
}

/** Returns whether pebble has issued a certificate. */
export function isPebbles({ issuer }: PeerCertificate): boolean {
  return String(issuer.CN).startsWith("Pebble");
}
