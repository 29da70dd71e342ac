/** The requests for the bytes of a file. */
import type { RequestInput } from "../../protocol/message.ts";

/**
 * Returns the request for a file that is written to its part, and renamed once its digest was compared.
 *
 * @param offset in bytes
 * @param verifies whether the digest is compared, so that the server need not compare those of parts
 */
export function fileRequest(path: string, offset: number, verifies: boolean): RequestInput<"get"> {
  return { verb: "get", path, offset, verifies };
}

/** Returns the request for a stream, which has the bytes before their digest is compared. */
export function streamRequest(path: string): RequestInput<"get"> {
  return { verb: "get", path, offset: 0, verifies: false };
}
