/** Writes a Response to the client, with back-pressure, and what every answer of the door says. */
import { BargeError } from "../../error.ts";
import type { Exchange, Source } from "./exchange.ts";

/**
 * What a browser is to do with all that it gets from here, unless the answer says otherwise: nothing.
 * Files come from strangers, and lie on the page's own origin.
 */
const secure: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; frame-ancestors 'self'; sandbox",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
};

/** @throws {BargeError} when the client is gone, or a source fails: the answer can't be whole then */
export async function reply(exchange: Exchange, response: Response): Promise<void> {
  const source = exchange.takeSource();
  try {
    writeHead(exchange, response);
    const empty = exchange.method === "HEAD" || response.status === 204 || response.status === 304;
    if (empty) await exchange.end();
    else if (response.body) await sendBody(exchange, response);
    else if (source instanceof Uint8Array) await sendWhole(exchange, source);
    else if (source) await sendSource(exchange, source);
    else await exchange.end();
  } finally {
    if (source && !(source instanceof Uint8Array)) await source.return();
  }
}

function writeHead({ outgoing, last }: Exchange, { status, headers }: Response): void {
  outgoing.statusCode = status;
  for (const [name, value] of headers) {
    if (name !== "set-cookie") outgoing.setHeader(name, value);
  }
  const cookies = headers.getSetCookie();
  if (cookies.length > 0) outgoing.setHeader("set-cookie", cookies);
  for (const [name, value] of Object.entries(secure)) {
    if (!headers.has(name)) outgoing.setHeader(name, value);
  }
  if (last) outgoing.setHeader("connection", "close");
}

/** A Response of one piece gets a length; a longer one goes in chunks. */
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

async function sendWhole(exchange: Exchange, bytes: Uint8Array): Promise<void> {
  exchange.access.bytes += bytes.length;
  await exchange.end(bytes);
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
    throw new BargeError("io", `an answer of ${promised} bytes ended after ${sent}`);
  }
  await exchange.end();
}
