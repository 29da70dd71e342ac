/** The digests of objects' bytes. */
import { hash } from "node:crypto";

/** From this size on, another thread hashes faster than it takes to ask it. */
const minOtherThreadBytes = 256 * 1024;

/** Returns the SHA-256 of bytes, in hex. Another thread hashes many bytes, so that this one can serve. */
export async function sha256Of(bytes: Uint8Array): Promise<string> {
  if (bytes.length < minOtherThreadBytes) return hash("sha256", bytes, "hex");
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return new Uint8Array(digest).toHex();
}
