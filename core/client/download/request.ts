/** The requests for the bytes of a file. */
import type { RequestInput } from "../../protocol/message.ts";

/**
 * Requests a file that is written to its part, and renamed once its digest was compared.
 *
 * @param offset in bytes
 * @param verify whether the digest is compared
 */
export function fileRequest(path: string, offset: number, verify: boolean): RequestInput<"get"> {
  return { verb: "get", path, offset, verifies: verify };
}

/** Requests a file for a stream, which has its bytes before their digest is compared. */
export function streamRequest(path: string): RequestInput<"get"> {
  return { verb: "get", path, offset: 0, verifies: false };
}
