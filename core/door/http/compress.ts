/**
 * Compresses pages, scripts, styles, JSON and XML with zstd (RFC 8878) or gzip for clients that accept it. Files
 * of users are sent as they are: their ranges, lengths and digests are those of the stored bytes.
 *
 * The length of a compressed text reveals whether parts of it repeat, so a text must not hold both a secret and
 * something that an attacker chooses (breachattack.com). No other site can make a browser fetch a page with a
 * login, since that cookie is SameSite=Strict. Secrets that are shown once, such as a new token, answer a POST,
 * which is never compressed.
 */
import { Buffer } from "node:buffer";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { Context, MiddlewareHandler } from "hono";
import { COMPRESSIBLE_CONTENT_TYPE_REGEX } from "hono/utils/compress";
import type { HttpEnv } from "./exchange.ts";

/** The content codings of this door, the preferred one first. */
const codings = ["zstd", "gzip"] as const;
type Coding = typeof codings[number];
type Bytes = Uint8Array<ArrayBuffer>;

/** Shorter texts are sent as they are: one packet holds them. */
const minCompressedBytes = 1024;
/** A body up to this size that comes in one piece is compressed at once, and has a Content-Length. */
const maxWholeBytes = 128 * 1024;
/** The methods whose responses are compressed. */
const methods = new Set(["GET", "HEAD", "PROPFIND", "REPORT"]);

/** Compressed immutable responses, by coding and path: only assets are immutable, so they are few. */
const immutable = new Map<string, Bytes>();

/** Compresses the body of a response. */
export const compressText: MiddlewareHandler<HttpEnv> = async (c, next) => {
  await next();
  const { headers, status } = c.res;
  const type = headers.get("content-type") ?? "";
  if (!methods.has(c.req.method) || !COMPRESSIBLE_CONTENT_TYPE_REGEX.test(type)) return;
  if (c.env.source !== undefined || headers.has("content-encoding") || status === 206) return;
  if (headers.has("accept-ranges")) return; // the head of a file
  headers.append("vary", "Accept-Encoding");
  const coding = acceptedCoding(c.req.header("accept-encoding") ?? "");
  if (!coding || !c.res.body || c.req.method === "HEAD") return;
  const isImmutable = headers.get("cache-control")?.includes("immutable") && c.res.ok;
  const key = `${coding} ${c.req.path}`;
  const cached = isImmutable ? immutable.get(key) : undefined;
  if (cached) {
    await c.res.body.cancel();
    return sendCoded(c, cached, coding);
  }
  const reader = c.res.body.getReader();
  const pieces: Bytes[] = [];
  let length = 0;
  let read: ReadableStreamReadResult<Bytes>;
  do {
    read = await reader.read();
    if (!read.done) length += pieces[pieces.push(read.value) - 1].length;
  } while (!read.done && length < minCompressedBytes);
  if (!read.done) read = await reader.read();
  if (!read.done) pieces.push(read.value);
  if (!read.done || length > maxWholeBytes) {
    const rest = continued(pieces, reader);
    return sendCoded(c, rest.pipeThrough(await compressor(coding)), coding);
  }
  const bytes = Buffer.concat(pieces);
  if (length < minCompressedBytes) {
    c.res = new Response(bytes, c.res);
    return;
  }
  const compressed = new Uint8Array(coding === "zstd" ? zstdCompressSync(bytes) : gzipSync(bytes));
  if (isImmutable) immutable.set(key, compressed);
  sendCoded(c, compressed, coding);
};

/**
 * Chooses the coding of a response by the field Accept-Encoding (RFC 9110, section 12.5.3): the one with the
 * highest weight, and of several the first in `codings`.
 *
 * @returns undefined if the client accepts none of them
 *
 * @example
 * ```ts
 * import { acceptedCoding } from "./compress.ts";
 * if (acceptedCoding("gzip, deflate, br, zstd") !== "zstd") throw new Error();
 * if (acceptedCoding("zstd;q=0.5, gzip;q=0.8") !== "gzip") throw new Error();
 * if (acceptedCoding("zstd;q=0, *;q=0.1") !== "gzip" || acceptedCoding("br") !== undefined) throw new Error();
 * ```
 */
export function acceptedCoding(field: string): Coding | undefined {
  const weights = new Map<string, number>();
  for (const item of field.toLowerCase().split(",")) {
    const [name, ...parameters] = item.split(";").map((part) => part.trim());
    const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice("q=".length);
    weights.set(name, weight === undefined ? 1 : Number(weight) || 0);
  }
  const weightOf = (coding: Coding) => weights.get(coding) ?? weights.get("*") ?? 0;
  const best = codings.reduce((best, coding) => weightOf(coding) > weightOf(best) ? coding : best);
  return weightOf(best) > 0 ? best : undefined;
}

/** Replaces the body by a compressed one. The entity tag becomes weak (RFC 9110, section 8.8.3). */
function sendCoded(c: Context<HttpEnv>, body: Bytes | ReadableStream<Bytes>, coding: Coding): void {
  c.res = new Response(body, c.res);
  const { headers } = c.res;
  headers.delete("content-length");
  headers.set("content-encoding", coding);
  const etag = headers.get("etag");
  if (etag && !etag.startsWith("W/")) headers.set("etag", `W/${etag}`);
}

async function compressor(coding: Coding): Promise<ReadableWritablePair<Bytes, Bytes>> {
  if (coding === "gzip") return new CompressionStream("gzip");
  const [{ Duplex }, { createZstdCompress }] = await Promise.all([
    import("node:stream"),
    import("node:zlib"),
  ]);
  return Duplex.toWeb(createZstdCompress()) as unknown as ReadableWritablePair<Bytes, Bytes>;
}

/** Returns the pieces that are read already, and the next ones. */
function continued(
  pieces: readonly Bytes[],
  reader: ReadableStreamDefaultReader<Bytes>,
): ReadableStream<Bytes> {
  const before = [...pieces];
  return new ReadableStream({
    async pull(controller) {
      const piece = before.shift();
      if (piece) return controller.enqueue(piece);
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
