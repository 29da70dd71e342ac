/** Writes a Response to the client, with back-pressure and the security headers of every response. */
import type { OutgoingHttpHeaders } from "node:http";
import { counted } from "../../counted.ts";
import { BargeError } from "../../error.ts";
import type { Exchange, Head, Source } from "./exchange.ts";

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
export async function reply(exchange: Exchange, response: Response | Head): Promise<void> {
  const { source } = exchange;
  const body = response instanceof Response ? response.body : null;
  const head = response instanceof Response ? headOf(response) : response;
  const empty = exchange.method === "HEAD" || head.status === 204 || head.status === 304;
  try {
    if (body && !empty) return await sendBody(exchange, head, body);
    writeHead(exchange, empty || source ? head : withoutBody(head));
    if (empty || !source) await exchange.end();
    else if (source instanceof Uint8Array) {
      exchange.access.bytes += source.length;
      await exchange.end(source);
    } else await sendSource(exchange, source, head);
  } finally {
    if (source && !(source instanceof Uint8Array)) await source.return();
  }
}

/** Returns the head of a Response. To iterate over its headers would sort all of them at each step. */
function headOf({ status, headers }: Response): Head {
  const fields: Record<string, string | string[]> = {};
  headers.forEach((value, name) => fields[name] = value);
  if (headers.has("set-cookie")) fields["set-cookie"] = headers.getSetCookie();
  return { status, headers: fields };
}

/** Returns a head with the length 0. Without it, `writeHead` announces a body in chunks. */
function withoutBody({ status, headers }: Head): Head {
  return { status, headers: { "content-length": "0", ...headers } };
}

function writeHead({ outgoing, isLast }: Exchange, { status, headers }: Head): void {
  const fields: OutgoingHttpHeaders = { ...securityHeaders, ...headers };
  if (isLast) fields.connection = "close";
  outgoing.writeHead(status, fields);
}

/** Sends a body of one piece with its length, a longer one in chunks. */
async function sendBody(
  exchange: Exchange,
  { status, headers }: Head,
  body: ReadableStream<Uint8Array>,
): Promise<void> {
  const reader = body.getReader();
  try {
    let piece = await reader.read();
    let next = piece.done ? piece : await reader.read();
    const length = next.done && { "content-length": String(piece.value?.length ?? 0) };
    writeHead(exchange, { status, headers: { ...length, ...headers } });
    for (; !next.done; piece = next, next = await reader.read()) await exchange.write(piece.value!);
    await exchange.end(piece.value);
  } finally {
    await reader.cancel();
  }
}

async function sendSource(exchange: Exchange, source: Source, { headers }: Head): Promise<void> {
  let sent = 0;
  for await (const piece of source) {
    await exchange.write(piece);
    exchange.access.bytes += piece.length;
    sent += piece.length;
  }
  const promised = headers["content-length"];
  if (promised !== undefined && Number(promised) !== sent) {
    throw new BargeError(
      "io",
      `a response of ${counted(Number(promised), "byte")} ended after ${sent}`,
    );
  }
  await exchange.end();
}
