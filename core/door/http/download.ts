/** Sends a file, with conditions, ranges and digests. */
import { getMimeType } from "hono/utils/mime";
import { counted } from "../../counted.ts";
import { BargeError } from "../../error.ts";
import { digest } from "../../session/digest.ts";
import { get } from "../../session/get.ts";
import type { FileContent } from "../../storage/content.ts";
import { etagOf, httpDate, judge, rangeHolds } from "./condition.ts";
import { wantsDigest, writeDigest } from "./digest_field.ts";
import type { AuthenticatedExchange, Exchange, Head, Source } from "./exchange.ts";
import { Refusal } from "./problem.ts";
import { parseRange, type Span } from "./range.ts";

/** Files up to this size are read at once, and sent together with the head. */
const smallFileBytes = 32 * 1024;

/** The head of a response with a file. */
type FileHead = Head & { readonly headers: Readonly<Record<string, string>> };

interface SendOptions {
  /** Opens the file; default: {@link get}. */
  readonly open?: typeof get;
  /** Makes the entity tag; default: {@link etagOf}. */
  readonly tagOf?: typeof etagOf;
  /** Called with the first offset before bytes are sent; it may throw a refusal. */
  readonly begin?: (etag: string, from: number) => Promise<void>;
}

/** Answers GET and HEAD with a file, for handlers of the router. Parameters and errors: {@link fileHead}. */
export async function sendFile(
  ...parameters: Parameters<typeof fileHead>
): Promise<Response> {
  return new Response(null, await fileHead(...parameters));
}

/**
 * Prepares the answer to GET and HEAD of a file (RFC 9110, sections 13 and 14; RFC 9530). The body becomes
 * the source of the exchange.
 *
 * @param headers more headers; they replace those of the file
 * @throws {BargeError} as `get` and `begin`; {Refusal} 412, 416
 */
export async function fileHead(
  exchange: AuthenticatedExchange,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  { tagOf = etagOf, begin, open = get }: SendOptions = {},
): Promise<FileHead> {
  const file = await open(exchange.session, path, 0);
  try {
    const { header } = exchange;
    const validators = { etag: tagOf(file), modified: file.modified };
    const common = {
      "etag": validators.etag,
      "last-modified": httpDate(file.modified),
      "accept-ranges": "bytes",
      "cache-control": "private, no-cache",
      "content-type": typeOf(path),
      ...headers,
    };
    const verdict = judge(header, validators, true);
    if (verdict === "failed") {
      throw new Refusal(412, "exists", "the file does not meet the request's conditions");
    }
    if (verdict === "same") {
      file.close();
      return { status: 304, headers: common };
    }
    const span = exchange.method === "GET" && rangeHolds(header, validators)
      ? parseRange(header("range"), file.size)
      : "all";
    if (span === "none") {
      throw new Refusal(416, "usage", `the file has ${counted(file.size, "byte")}`, {
        headers: { "content-range": `bytes */${file.size}` },
      });
    }
    const digests = await digestsOf(exchange, path, file, span === "all");
    if (exchange.method === "GET") await begin?.(validators.etag, span === "all" ? 0 : span.from);
    return await answer(exchange, file, span, { ...common, ...digests });
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Returns whether `fileHead` has failed because the path is a folder's. */
export function isFolder(error: unknown): boolean {
  return error instanceof BargeError && error.kind === "exists" && !(error instanceof Refusal);
}

async function answer(
  exchange: Exchange,
  file: FileContent,
  span: Span | "all",
  headers: Record<string, string>,
): Promise<FileHead> {
  const { from, length } = span === "all" ? { from: 0, length: file.size } : span;
  const status = span === "all" ? 200 : 206;
  headers["content-length"] = String(length);
  if (span !== "all") {
    headers["content-range"] = `bytes ${from}-${from + length - 1}/${file.size}`;
  }
  if (exchange.method === "HEAD") {
    file.close();
    return { status, headers };
  }
  if (from > 0) await file.seek(from);
  if (length > smallFileBytes) {
    const pieces = file.pieces(length);
    // If the first piece can't be read, the response can still have the status of the failure.
    const first = await pieces.next();
    exchange.source = continued(first, pieces, file);
  } else {
    exchange.source = await file.rest(length);
    file.close();
  }
  return { status, headers };
}

/** Yields a piece that is read already, and the next ones; then closes the file. */
async function* continued(
  first: IteratorResult<Uint8Array, void>,
  pieces: Source,
  file: FileContent,
): Source {
  try {
    if (!first.done) yield first.value;
    yield* pieces;
  } finally {
    await pieces.return();
    file.close();
  }
}

/** Reads a file to its end; then closes it. */
export async function* piecesOf(file: FileContent): Source {
  try {
    yield* file.pieces();
  } finally {
    file.close();
  }
}

/** Returns the fields for digests: of the file, and of the content if that is the whole file. */
async function digestsOf(
  exchange: AuthenticatedExchange,
  path: string,
  { sha256 }: FileContent,
  whole: boolean,
): Promise<Record<string, string>> {
  const content = whole && exchange.method === "GET" &&
    wantsDigest(exchange.header("want-content-digest"));
  const wanted = content || wantsDigest(exchange.header("want-repr-digest"));
  if (sha256 === null && !wanted) return {};
  const request = { verb: "digest", path, algorithm: "sha256", fresh: false } as const;
  const value = sha256 ??
    (await digest(exchange.session, request, exchange.ended.signal)).digest;
  const field = writeDigest(value);
  return { "repr-digest": field, ...content ? { "content-digest": field } : {} };
}

/** Returns the media type of a file by its name. */
export function typeOf(path: string): string {
  return getMimeType(path.toLowerCase()) ?? "application/octet-stream";
}
