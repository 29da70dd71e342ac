/** Writes a Response to the client, with back-pressure and the security headers of every response. */
import { BargeError } from "../../error.ts";
import type { Exchange, Source } from "./exchange.ts";

/**
 * Headers of every response that does not set its own. They keep a browser from running scripts in files,
 * since untrusted users upload files, which have the page's origin.
 */
const securityHeaders: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; frame-ancestors 'self'; sandbox",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
};

/**
 * Sends a response.
 *
 * @throws {BargeError} when the client is gone or a source fails; the response is incomplete then
 */
export async function reply(exchange: Exchange, response: Response): Promise<void> {
  const { source } = exchange;
  try {
    writeHead(exchange, response);
    const empty = exchange.method === "HEAD" || response.status === 204 || response.status === 304;
    if (empty) await exchange.end();
    else if (response.body) await sendBody(exchange, response);
    else if (source instanceof Uint8Array) {
      exchange.access.bytes += source.length;
      await exchange.end(source);
    } else if (source) await sendSource(exchange, source);
    else await exchange.end();
  } finally {
    if (source && !(source instanceof Uint8Array)) await source.return();
  }
}

function writeHead({ outgoing, isLast }: Exchange, { status, headers }: Response): void {
  outgoing.statusCode = status;
  for (const [name, value] of headers) {
    if (name !== "set-cookie") outgoing.setHeader(name, value);
  }
  const cookies = headers.getSetCookie();
  if (cookies.length > 0) outgoing.setHeader("set-cookie", cookies);
  for (const [name, value] of Object.entries(securityHeaders)) {
    if (!headers.has(name)) outgoing.setHeader(name, value);
  }
  if (isLast) outgoing.setHeader("connection", "close");
}

/** Sends a body of one piece with its length, a longer one in chunks. */
async function sendBody(exchange: Exchange, { body, headers }: Response): Promise<void> {
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  try {
    let piece = await reader.read();
    let next = piece.done ? piece : await reader.read();
    if (next.done && !headers.has("content-length")) {
      exchange.outgoing.setHeader("content-length", piece.value?.length ?? 0);
    }
    for (; !next.done; piece = next, next = await reader.read()) await exchange.write(piece.value!);
    await exchange.end(piece.value);
  } finally {
    await reader.cancel();
  }
}

async function sendSource(exchange: Exchange, source: Source): Promise<void> {
  let sent = 0;
  for await (const piece of source) {
    await exchange.write(piece);
    exchange.access.bytes += piece.length;
    sent += piece.length;
  }
  const promised = exchange.outgoing.getHeader("content-length");
  if (promised !== undefined && Number(promised) !== sent) {
    throw new BargeError("io", `a response of ${promised} bytes ended after ${sent}`);
  }
  await exchange.end();
}
