/** The answer to a listing of objects, in XML: ListObjectsV2 of S3. */
import { XMLParser } from "fast-xml-parser";

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
  /** Whether there are objects behind the last one. */
  readonly more: boolean;
  /** The time of the answer, in ms since 1970, by the clock of the store; NaN where it has sent none. */
  readonly now: number;
}

/** The elements of an answer that are read. */
interface Answer {
  readonly ListBucketResult: {
    readonly IsTruncated: string;
    readonly EncodingType?: string;
    readonly Contents?: readonly { readonly Key: string; readonly LastModified: string }[];
  };
}

const parser = new XMLParser({
  parseTagValue: false,
  processEntities: false, // names are requested in percent encoding
  trimValues: false,
  isArray: (name: string) => name === "Contents",
});

/**
 * Parses the answer to a listing.
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
  const { ListBucketResult: result } = parser.parse(xml) as Answer;
  const decode = (key: string) =>
    result.EncodingType === "url" ? decodeURIComponent(key.replaceAll("+", " ")) : key;
  const objects = (result.Contents ?? []).map(({ Key, LastModified }) => ({
    name: decode(Key).slice(prefix.length),
    modified: Date.parse(LastModified),
  }));
  return { objects, more: result.IsTruncated === "true" };
}
