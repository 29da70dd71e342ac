/** Compares a local file with a remote one by SHA-256. */
import type { Client } from "../client.ts";
import { digest } from "../digest.ts";

/**
 * Returns the digest of a local and a remote file that have the same content.
 *
 * @param sha256 the remote file's digest, if it is known; otherwise it is requested
 * @returns undefined if their contents differ, and when either can't be read
 */
export async function sharedDigest(
  client: Client,
  local: string,
  path: string,
  sha256: string | null | undefined,
): Promise<string | undefined> {
  const { hashFile } = await import("./hash.ts");
  try {
    const [ours, theirs] = await Promise.all([
      hashFile(local, () => client.closed),
      sha256 ?? digest(client, path).then((answer) => answer.digest),
    ]);
    return ours === theirs ? ours : undefined;
  } catch {
    return undefined; // the transfer that follows reports why
  }
}
