/** Conditional requests: RFC 9110, section 13. Entity tags are digests, so they change with the bytes. */
import { Buffer } from "node:buffer";
import type { FileContent } from "../../storage/content.ts";

/** The facts of a file that conditions compare. */
interface Validators {
  /** With its quotes; weak if no digest is known. */
  readonly etag: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

/** The facts of a file that make its entity tag. */
type Tagged = Pick<FileContent, "sha256" | "size" | "modified">;

/** Returns the entity tag of a file. */
export function etagOf({ sha256, size, modified }: Tagged): string {
  return sha256 === null ? `W/"${size.toString(36)}-${modified.toString(36)}"` : `"${sha256}"`;
}

/**
 * Returns the entity tag of a file for WebDAV: the digest in base64url. Clients put several tags into one
 * If header, whose length some limit (litmus: 200 bytes).
 */
export function davTag(file: Tagged): string {
  if (file.sha256 === null) return etagOf(file);
  return `"${Buffer.from(file.sha256, "hex").toString("base64url")}"`;
}

/** Returns a header of the request. */
type Header = (name: string) => string | undefined;

/** Returns whether a request has conditions for a change. */
export function isConditional(header: Header): boolean {
  return ["if-match", "if-none-match", "if-unmodified-since"].some((name) => header(name));
}

/**
 * Evaluates the conditions of a request, in the order of section 13.2.2.
 *
 * @param existing undefined if there is no file or folder
 * @param reading whether the method is GET or HEAD
 * @returns `ok`, `failed` (412), or `same` (304)
 *
 * @example
 * ```ts
 * import { judge } from "./condition.ts";
 * const existing = { etag: '"a"', modified: 0 };
 * const header = (name: string) => ({ "if-none-match": '"b", W/"a"' })[name];
 * if (judge(header, existing, true) !== "same" || judge(header, existing, false) !== "failed") throw new Error();
 * ```
 */
export function judge(
  header: Header,
  existing: Validators | undefined,
  reading: boolean,
): "ok" | "failed" | "same" {
  const match = header("if-match");
  const since = date(header("if-unmodified-since"));
  if (match !== undefined) {
    if (!existing || !lists(match, existing.etag, false)) return "failed";
  } else if (since !== undefined && (!existing || seconds(existing.modified) > since)) {
    return "failed";
  }
  const noneMatch = header("if-none-match");
  const changed = date(header("if-modified-since"));
  if (noneMatch !== undefined) {
    if (existing && lists(noneMatch, existing.etag, true)) return reading ? "same" : "failed";
  } else if (
    reading && changed !== undefined && existing && seconds(existing.modified) <= changed
  ) {
    return "same";
  }
  return "ok";
}

/** Returns whether a range may be sent; if not, the whole file is sent (section 13.1.5). */
export function rangeHolds(header: Header, existing: Validators): boolean {
  const condition = header("if-range");
  if (condition === undefined) return true;
  if (/^(W\/)?"/.test(condition)) return lists(condition, existing.etag, false);
  return date(condition) === seconds(existing.modified);
}

/** Returns a time in the format of headers, in whole seconds. */
export function httpDate(modified: number): string {
  return new Date(modified).toUTCString();
}

function lists(header: string, etag: string, weakly: boolean): boolean {
  if (header.trim() === "*") return true;
  const bare = (tag: string) => weakly ? tag.replace(/^W\//, "") : tag;
  if (!weakly && etag.startsWith("W/")) return false;
  const tags = header.match(/(?:W\/)?"[^"]*"/g) ?? [];
  return tags.some((tag) => bare(tag) === bare(etag));
}

/**
 * Parses the time of a header.
 *
 * @returns milliseconds since 1970; undefined for a malformed or impossible time, such as February
 *   30, which `Date.parse` takes for March 2
 */
export function parseDate(text: string): number | undefined {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) return undefined;
  const day = / GMT$/.test(text) ? Number(/\d{1,2}/.exec(text)?.[0]) : undefined;
  return day === undefined || new Date(ms).getUTCDate() === day ? ms : undefined;
}

function date(header: string | undefined): number | undefined {
  const ms = header === undefined ? undefined : parseDate(header);
  return ms === undefined ? undefined : seconds(ms);
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
