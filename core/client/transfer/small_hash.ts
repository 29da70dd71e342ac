/** SHA-256 of small files in memory. */

/**
 * The number of files after which `node:crypto` is loaded. Loading takes 25 ms, and then saves 20 us for
 * each file.
 */
const filesBeforeNodeCrypto = 500;

let hashed = 0;
let hashWithNode: ((bytes: Uint8Array) => string) | undefined;

/**
 * Returns the digest in lower-case hexadecimal.
 *
 * @param bytes may be changed as soon as this returns
 */
export async function hashSmall(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  if (hashWithNode) return hashWithNode(bytes);
  const digest = crypto.subtle.digest("SHA-256", bytes);
  if (++hashed === filesBeforeNodeCrypto) {
    const { hash } = await import("node:crypto");
    hashWithNode = (bytes) => hash("sha256", bytes, "hex");
  }
  return new Uint8Array(await digest).toHex();
}
