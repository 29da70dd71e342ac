/** The headers of tus 1.0.0, a protocol for resumable uploads (tus.io/protocols/resumable-upload). */
import { Buffer } from "node:buffer";
import { BargeError } from "../../../error.ts";
import type { Exchange } from "../exchange.ts";
import { Refusal } from "../problem.ts";

const version = "1.0.0";
const algorithms = ["sha256", "sha1", "md5"];
/** The media type of a tus request's body. */
export const tusType = "application/offset+octet-stream";

/** The headers that list the server's abilities. */
export const tusAbilities: Readonly<Record<string, string>> = {
  "tus-version": version,
  "tus-extension":
    "creation,creation-with-upload,creation-defer-length,termination,checksum,expiration",
  "tus-checksum-algorithm": algorithms.join(","),
};

/** Adds the version to the response. @throws {Refusal} 412 for a client of another version */
export function checkTusVersion({ outgoing, incoming }: Exchange): void {
  outgoing.setHeader("tus-resumable", version);
  const requested = incoming.headers["tus-resumable"];
  if (requested === undefined || requested === version) return;
  throw new Refusal(412, "unsupported", "this server supports tus 1.0.0", {
    headers: { "tus-version": version },
  });
}

/** Reads a header with a number of bytes. @throws {BargeError} `usage` for another value */
export function bytesIn(exchange: Exchange, name: string): number | undefined {
  const text = exchange.header(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new BargeError("usage", `${name} is not a number of bytes`);
}

/**
 * Reads `Upload-Metadata`: pairs of a name and a value in Base64.
 *
 * @throws {BargeError} `usage`
 *
 * @example
 * ```ts
 * import { readMetadata } from "./tus.ts";
 * const pairs = readMetadata("filename w6Qu, is_private");
 * if (pairs.get("filename") !== "ä." || pairs.get("is_private") !== "") throw new Error();
 * ```
 */
export function readMetadata(field: string | undefined): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const pair of field?.split(",") ?? []) {
    const [name, value = "", more] = pair.trim().split(" ");
    if (name === "" || more !== undefined || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) {
      throw new BargeError("usage", "Upload-Metadata is malformed");
    }
    pairs.set(name, Buffer.from(value, "base64").toString("utf8"));
  }
  return pairs;
}

/** Reads the digest of a body, `Upload-Checksum`. @throws {BargeError} `usage` */
export function readChecksum(field: string | undefined) {
  if (field === undefined) return undefined;
  const [algorithm, text = ""] = field.trim().split(/ +/);
  const digest = Buffer.from(text, "base64");
  if (algorithms.includes(algorithm) && digest.length > 0) return { algorithm, digest };
  throw new BargeError("usage", `Upload-Checksum is not one of ${algorithms.join(", ")}`);
}
