/**
 * Entity tags of WebDAV: the digest in base64url, shorter than the API's hex. Clients put several tags
 * into one If header, which some limit (litmus: 200 bytes).
 */
import { Buffer } from "node:buffer";
import { etagOf, type Tagged } from "../condition.ts";

/**
 * Returns the entity tag of a file.
 *
 * @example
 * ```ts
 * import { davTag } from "./etag.ts";
 * const tag = davTag({ sha256: "ff".repeat(32), size: 1, modified: 0 });
 * if (tag !== `"${"_".repeat(42)}8"`) throw new Error(tag);
 * ```
 */
export function davTag(file: Tagged): string {
  if (file.sha256 === null) return etagOf(file);
  return `"${Buffer.from(file.sha256, "hex").toString("base64url")}"`;
}
