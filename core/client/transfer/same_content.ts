/** Compares a local file with a remote one by SHA-256. */
import type { Client } from "../client.ts";
import { digest } from "../digest.ts";

/**
 * @param sha256 the remote file's digest, if it is known; otherwise it is requested
 * @returns false also when either can't be read
 */
export async function sameContent(
  client: Client,
  local: string,
  path: string,
  sha256: string | null | undefined,
): Promise<boolean> {
  const { hashFile } = await import("./hash.ts");
  try {
    const [ours, theirs] = await Promise.all([
      hashFile(local, () => client.closed),
      sha256 ?? digest(client, path).then((answer) => answer.digest),
    ]);
    return ours === theirs;
  } catch {
    return false; // the transfer that follows reports why
  }
}
