/** The answer to a listing of objects, in XML: ListObjectsV2 of S3. */
import { SaxesParser } from "saxes";
import { BargeError } from "../../error.ts";

/** An object of the bucket. */
export interface StoredObject {
  /** Its name below the prefix. */
  readonly name: string;
  /** The time of its last write, in ms since 1970, by the clock of the store. */
  readonly modified: number;
}

/** A page of the objects below a prefix. */
export interface Listing {
  readonly objects: readonly StoredObject[];
  /** Whether there are objects after the last one. */
  readonly more: boolean;
  /** The time of the answer, in ms since 1970, by the clock of the store; NaN where it has sent none. */
  readonly now: number;
}

/**
 * Parses the answer to a listing.
 *
 * @throws {BargeError} `unavailable` where the text is no listing
 *
 * @example
 * ```ts
 * import { parseListing } from "./listing.ts";
 * const { objects, more } = parseListing(
 *   `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>
 *    <Contents><Key>p/a%26b</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>
 *    </ListBucketResult>`,
 *   "p/",
 * );
 * if (objects[0].name !== "a&b" || more) throw new Error();
 * ```
 */
export function parseListing(xml: string, prefix: string): Omit<Listing, "now"> {
  const parser = new SaxesParser({ position: false });
  /** The texts of all elements of one name, in their order. */
  const texts = new Map<string, string[]>();
  let text = "";
  parser.on("error", (cause) => {
    throw noListing(cause);
  });
  parser.on("opentag", () => text = "");
  parser.on("text", (part) => text += part);
  parser.on("closetag", ({ name }) => {
    const earlier = texts.get(name);
    if (earlier) earlier.push(text);
    else texts.set(name, [text]);
  });
  parser.write(xml).close();
  const [more] = texts.get("IsTruncated") ?? [];
  const keys = texts.get("Key") ?? [];
  const times = texts.get("LastModified") ?? [];
  if (more === undefined || keys.length !== times.length) throw noListing();
  const isEncoded = texts.get("EncodingType")?.[0] === "url";
  const nameOf = (key: string) => isEncoded ? decodeURIComponent(key.replaceAll("+", " ")) : key;
  const objects = keys.map((key, i) => ({
    name: nameOf(key).slice(prefix.length),
    modified: Date.parse(times[i]),
  }));
  return { objects, more: more === "true" };
}

function noListing(cause?: unknown): BargeError {
  return new BargeError("unavailable", "the object store sent no listing", { cause });
}
