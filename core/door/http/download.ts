/** Sends a file: conditions, ranges, digests. For every module of the door. */
import { getMimeType } from "hono/utils/mime";
import { digest } from "../../session/digest.ts";
import { get } from "../../session/get.ts";
import type { Download } from "../../local/download.ts";
import { etagOf, httpDate, judge, rangeHolds } from "./condition.ts";
import { wantsDigest, writeDigest } from "./digest_field.ts";
import type { AuthenticatedExchange, Exchange, Source } from "./exchange.ts";
import { Refusal } from "./problem.ts";
import { parseRange, type Span } from "./range.ts";

/** Files up to this many bytes are read at once, and sent together with their head. */
const small = 32 * 1024;

/** What is particular to some of those who send files. */
export interface Sending {
  readonly tagOf?: typeof etagOf;
  readonly begin?: (etag: string, from: number) => void | Promise<void>;
}

/**
 * Answers GET and HEAD with a file (RFC 9110, sections 13 and 14; RFC 9530).
 *
 * @param headers beside those that say what it is; they win over them
 * @param how.tagOf makes the entity tag
 * @param how.begin called once it is clear that bytes will be sent, with the entity tag and where
 *   they begin; throws where they may not be
 * @throws {BargeError} as `get` and `begin`; {Refusal} 412, 416
 */
export async function sendFile(
  exchange: AuthenticatedExchange,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  { tagOf = etagOf, begin }: Sending = {},
): Promise<Response> {
  const file = await get(exchange.session!, path, 0);
  try {
    const header = (name: string) => exchange.header(name);
    const there = { etag: tagOf(file), modified: file.modified };
    const common = {
      "etag": there.etag,
      "last-modified": httpDate(file.modified),
      "accept-ranges": "bytes",
      "cache-control": "private, no-cache",
      "content-type": typeOf(path),
      ...headers,
    };
    const judged = judge(header, there, true);
    if (judged === "failed") {
      throw new Refusal(412, "exists", "the file is not as the request has it");
    }
    if (judged === "same") {
      file.close();
      return new Response(null, { status: 304, headers: common });
    }
    const span = exchange.method === "GET" && rangeHolds(header, there)
      ? parseRange(header("range"), file.size)
      : "all";
    if (span === "none") {
      throw new Refusal(416, "usage", `the file has ${file.size} bytes`, {
        headers: { "content-range": `bytes */${file.size}` },
      });
    }
    const digests = await digestsOf(exchange, path, file, span === "all");
    if (exchange.method === "GET") await begin?.(there.etag, span === "all" ? 0 : span.from);
    return await answer(exchange, file, span, { ...common, ...digests });
  } catch (error) {
    file.close();
    throw error;
  }
}

async function answer(
  exchange: Exchange,
  file: Download,
  span: Span | "all",
  headers: Record<string, string>,
): Promise<Response> {
  const { from, length } = span === "all" ? { from: 0, length: file.size } : span;
  const status = span === "all" ? 200 : 206;
  headers["content-length"] = String(length);
  if (span !== "all") {
    headers["content-range"] = `bytes ${from}-${from + length - 1}/${file.size}`;
  }
  if (exchange.method === "HEAD") {
    file.close();
    return new Response(null, { status, headers });
  }
  if (from > 0) await file.seek(from);
  if (length > small) return exchange.send(piecesOf(file, length), { status, headers });
  const bytes = file.rest(length);
  file.close();
  return exchange.send(bytes, { status, headers });
}

/** What is left of a file, or so many bytes of that; closes it. */
export async function* piecesOf(file: Download, length?: number): Source {
  try {
    yield* file.pieces(length);
  } finally {
    file.close();
  }
}

/** The digest of the whole, also with a part of it; that of the content only where that is the whole. */
async function digestsOf(
  exchange: AuthenticatedExchange,
  path: string,
  { sha256 }: Download,
  whole: boolean,
): Promise<Record<string, string>> {
  const wanted = wantsDigest(exchange.header("want-repr-digest"));
  const content = wantsDigest(exchange.header("want-content-digest")) && whole &&
    exchange.method === "GET";
  const known = sha256 ?? (wanted || content
    ? (await digest(
      exchange.session!,
      { verb: "digest", path, algorithm: "sha256", fresh: false },
      exchange.ended.signal,
    )).digest
    : null);
  if (known === null) return {};
  const field = writeDigest(known);
  return { "repr-digest": field, ...content ? { "content-digest": field } : {} };
}

/** The media type that a file's name stands for. */
export function typeOf(path: string): string {
  return getMimeType(path.toLowerCase()) ?? "application/octet-stream";
}
