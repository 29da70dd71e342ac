/** Conditional requests: RFC 9110, section 13. Entity tags are digests, and so change with the bytes. */

/** What a client may hold a request to. */
export interface Validators {
  /** As in a header, with its quotes; weak where no digest is known. */
  readonly etag: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

/** What an entity tag is made of. */
export interface Tagged {
  /** In hex; null where none is stored. */
  readonly sha256: string | null;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

/** The entity tag of a file. */
export function etagOf({ sha256, size, modified }: Tagged): string {
  return sha256 === null ? `W/"${size.toString(36)}-${modified.toString(36)}"` : `"${sha256}"`;
}

/** The headers that conditions come in. */
export type Header = (name: string) => string | undefined;

/** Does a request say under which conditions it is to be done? */
export function isConditional(header: Header): boolean {
  return ["if-match", "if-none-match", "if-unmodified-since"].some((name) => header(name));
}

/**
 * Are they met? Section 13.2.2, in its order.
 *
 * @param there undefined: there is nothing
 * @param reading is it a GET or HEAD?
 * @returns `ok`, `failed` (412), or `same` (304)
 *
 * @example
 * ```ts
 * import { judge } from "./condition.ts";
 * const there = { etag: '"a"', modified: 0 };
 * const header = (name: string) => ({ "if-none-match": '"b", W/"a"' })[name];
 * if (judge(header, there, true) !== "same" || judge(header, there, false) !== "failed") throw new Error();
 * ```
 */
export function judge(
  header: Header,
  there: Validators | undefined,
  reading: boolean,
): "ok" | "failed" | "same" {
  const match = header("if-match");
  const since = date(header("if-unmodified-since"));
  if (match !== undefined) {
    if (!there || !lists(match, there.etag, false)) return "failed";
  } else if (since !== undefined && (!there || seconds(there.modified) > since)) {
    return "failed";
  }
  const noneMatch = header("if-none-match");
  const changed = date(header("if-modified-since"));
  if (noneMatch !== undefined) {
    if (there && lists(noneMatch, there.etag, true)) return reading ? "same" : "failed";
  } else if (reading && changed !== undefined && there && seconds(there.modified) <= changed) {
    return "same";
  }
  return "ok";
}

/** May a range be sent of what is there now? Section 13.1.5: else all of it is. */
export function rangeHolds(header: Header, there: Validators): boolean {
  const given = header("if-range");
  if (given === undefined) return true;
  if (/^(W\/)?"/.test(given)) return lists(given, there.etag, false);
  return date(given) === seconds(there.modified);
}

/** The time as headers have it: whole seconds. */
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
