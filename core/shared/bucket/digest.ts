/** The digests of objects' bytes. */
import { createHash, hash } from "node:crypto";
import { setImmediate } from "node:timers/promises";

/** The most bytes that are hashed in one turn of the event loop. They take less than a millisecond. */
const turnBytes = 1024 * 1024;

/**
 * Returns the SHA-256 of bytes, in hex. Between large parts, the event loop serves others. Another thread would
 * copy the bytes into fresh memory first.
 */
export async function sha256Of(bytes: Uint8Array): Promise<string> {
  if (bytes.length <= turnBytes) return hash("sha256", bytes, "hex");
  const digest = createHash("sha256");
  for (let at = 0; at < bytes.length; at += turnBytes) {
    if (at > 0) await setImmediate();
    digest.update(bytes.subarray(at, at + turnBytes));
  }
  return digest.digest("hex");
}
