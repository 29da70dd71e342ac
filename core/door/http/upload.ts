/** Receives a file that comes as the body of one request. For every module of the door. */
import { BargeError } from "../../error.ts";
import type { When } from "../../login/access.ts";
import type { StoredFile } from "../../storage/uploads.ts";
import type { Incoming } from "../../upload/incoming.ts";
import { receive } from "../../upload/receive.ts";
import { etagOf, isConditional, judge, parseDate } from "./condition.ts";
import { readDigest } from "./digest_field.ts";
import type { AuthenticatedExchange, Exchange } from "./exchange.ts";
import { Refusal } from "./problem.ts";

/**
 * Writes the body to a path, under the conditions in the request's headers (RFC 9110, section 13),
 * checked with the digest in them (RFC 9530). A connection that is cut leaves a partial upload, which
 * can be resumed; never a file.
 *
 * @param when a condition beside those
 * @param tagOf how entity tags are made
 * @throws {Refusal} 412, 415; {BargeError} as `receive` and `Incoming.commit`
 */
export async function receiveFile(
  exchange: AuthenticatedExchange,
  path: string,
  when: When = "always",
  tagOf = etagOf,
): Promise<StoredFile> {
  refuseParts(exchange);
  const { body, session, ended } = exchange;
  const sha256 = digestOf(exchange);
  const overwrite = conditions(exchange, when, tagOf);
  const size = body.length ?? expected(exchange);
  const upload = await receive(session!, {
    path,
    size,
    modified: modifiedOf(exchange),
    overwrite,
    base: "fresh",
    announced: exchange.holds,
  });
  try {
    await receiveInto(exchange, upload);
    return await upload.commit(sha256 ?? null, true, ended.signal);
  } catch (error) {
    if (error instanceof BargeError) await upload.fail(error);
    throw error;
  } finally {
    await upload.detach();
  }
}

/**
 * Appends the body to an upload; the next piece is received while the last one is written.
 *
 * @param look is shown each piece before it is written
 * @throws {BargeError} `unavailable` for a body that is cut; as `Incoming.write`
 */
export async function receiveInto(
  exchange: Exchange,
  upload: Incoming,
  look: (piece: Uint8Array) => void = () => {},
): Promise<void> {
  let writing: Promise<void> = Promise.resolve();
  try {
    for await (const piece of exchange.body.pieces()) {
      await writing;
      look(piece);
      writing = upload.write(piece);
      writing.catch(() => {/* told when it is waited for */});
    }
  } finally {
    await writing;
  }
}

/** What a committed file is called in headers and JSON. */
export function committedHeaders(committed: StoredFile): Record<string, string> {
  return { etag: etagOf(committed) };
}

/** The request's own conditions and another one, both checked again under the write lock. */
export function conditions(
  exchange: Exchange,
  when: When = "always",
  tagOf = etagOf,
): When {
  const header = (name: string) => exchange.header(name);
  if (!isConditional(header)) return when;
  return (there) => {
    const now = there?.type === "file"
      ? { etag: tagOf(there), modified: there.modified }
      : there && { etag: "", modified: there.modified };
    if (judge(header, now, false) !== "ok") {
      throw new Refusal(412, "exists", "the file is not as the request has it");
    }
    if (typeof when === "function") when(there);
  };
}

/** A body that is not the whole file, as it is to be: RFC 9110, sections 9.3.4 and 14.5. */
function refuseParts(exchange: Exchange): void {
  if (exchange.header("content-range")) {
    throw new BargeError("usage", "a PUT writes a whole file", {
      hint: "parts are sent by tus, see /api/v1/openapi.json",
    });
  }
  const encoding = exchange.header("content-encoding") ?? "identity";
  if (encoding.toLowerCase() !== "identity") {
    throw new Refusal(415, "usage", `a body in ${encoding} is not decoded here`, {
      headers: { "accept-encoding": "identity" },
    });
  }
}

/** What macOS says of a body that it sends in chunks. */
function expected(exchange: Exchange): number | null {
  const given = exchange.header("x-expected-entity-length");
  return given !== undefined && /^\d{1,15}$/.test(given) ? Number(given) : null;
}

function digestOf(exchange: Exchange): string | undefined {
  const header = exchange.header("repr-digest") ?? exchange.header("content-digest");
  const given = readDigest(header);
  if (given !== null) return given;
  throw new BargeError("usage", "the digest is malformed", {
    hint: "sha-256=:BASE64:, as RFC 9530 has it",
  });
}

/** The time that the file is to have: `Last-Modified`, or what ownCloud's clients send. */
function modifiedOf(exchange: Exchange): number | null {
  const unix = Number(exchange.header("x-oc-mtime")?.trim() || NaN); // "" would be the number 0
  if (!Number.isNaN(unix)) return Math.round(unix * 1000);
  return parseDate(exchange.header("last-modified") ?? "") ?? null;
}
