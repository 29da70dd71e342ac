/** Receives a file as the body of a request. */
import { BargeError } from "../../error.ts";
import type { WriteCondition } from "../../login/access.ts";
import type { StoredFile } from "../../storage/uploads.ts";
import type { Incoming } from "../../upload/incoming.ts";
import { receive } from "../../upload/receive.ts";
import { etagOf, isConditional, judge, parseDate } from "./condition.ts";
import { readDigest } from "./digest_field.ts";
import type { AuthenticatedExchange, Exchange } from "./exchange.ts";
import { Refusal } from "./problem.ts";

/**
 * Writes the body to a path, under the conditions of the request (RFC 9110, section 13), and checks its
 * digest (RFC 9530). A cut connection leaves a partial upload, never a file.
 *
 * @param when another condition
 * @throws {Refusal} 412, 415; {BargeError} as `receive` and `Incoming.commit`
 */
export async function receiveFile(
  exchange: AuthenticatedExchange,
  path: string,
  when: WriteCondition = "always",
  tagOf = etagOf,
): Promise<StoredFile> {
  refuseParts(exchange);
  const { body, session, ended } = exchange;
  const { header } = exchange;
  const sha256 = readDigest(header("repr-digest") ?? header("content-digest"));
  const upload = await receive(session, {
    path,
    size: body.length ?? expectedSize(exchange),
    modified: modifiedOf(exchange),
    overwrite: requestCondition(exchange, when, tagOf),
    base: "fresh", // not the staged bytes of a partial upload
    announced: body.awaitsContinue,
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
 * @throws {BargeError} `unavailable` for a body that is cut; as `Incoming.write`
 */
export async function receiveInto(
  exchange: Exchange,
  upload: Incoming,
  onPiece: (piece: Uint8Array) => void = () => {},
): Promise<void> {
  let writing: Promise<void> = Promise.resolve();
  try {
    for await (const piece of exchange.body.pieces()) {
      await writing;
      onPiece(piece);
      writing = upload.write(piece);
      writing.catch(() => {/* thrown by the next await */});
    }
  } finally {
    await writing;
  }
}

/**
 * Returns a condition that checks the conditions of the request, and then `when`. It is checked in the
 * step that commits the file.
 */
export function requestCondition(
  exchange: Exchange,
  when: WriteCondition = "always",
  tagOf = etagOf,
): WriteCondition {
  const { header } = exchange;
  if (!isConditional(header)) return when;
  return (existing, view) => {
    const validators = existing?.type === "file"
      ? { etag: tagOf(existing), modified: existing.modified }
      : existing && { etag: "", modified: existing.modified };
    if (judge(header, validators, false) !== "ok") {
      throw new Refusal(412, "exists", "the file does not meet the request's conditions");
    }
    if (typeof when === "function") when(existing, view);
  };
}

/** Refuses a body that is a part or an encoding of the file: RFC 9110, sections 9.3.4 and 14.5. */
function refuseParts(exchange: Exchange): void {
  if (exchange.header("content-range")) {
    throw new BargeError("usage", "a PUT writes a whole file", {
      hint: "send parts by tus, see /api/v1/openapi.json",
    });
  }
  const encoding = exchange.header("content-encoding") ?? "identity";
  if (encoding.toLowerCase() !== "identity") {
    throw new Refusal(415, "usage", `the content encoding ${encoding} is not supported`, {
      headers: { "accept-encoding": "identity" },
    });
  }
}

/** Returns the size that macOS announces for a body in chunks. */
function expectedSize(exchange: Exchange): number | null {
  const text = exchange.header("x-expected-entity-length");
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Returns the time for the file: `Last-Modified`, or the header of ownCloud's clients. */
function modifiedOf(exchange: Exchange): number | null {
  const unix = Number(exchange.header("x-oc-mtime")?.trim() || NaN); // Number("") is 0
  if (!Number.isNaN(unix)) return Math.round(unix * 1000);
  return parseDate(exchange.header("last-modified") ?? "") ?? null;
}
