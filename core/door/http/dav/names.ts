/** Names of XML, and how text is written in it. */

/** An element's or attribute's name: a namespace ("" for none), and the name in it. */
export interface XmlName {
  readonly space: string;
  readonly local: string;
}

/** The namespace of RFC 4918. */
export const dav = "DAV:";
/** The namespace that the prefix `xml` always means. */
export const xmlSpace = "http://www.w3.org/XML/1998/namespace";

/**
 * Text as it stands between tags, or in an attribute. What XML can't hold at all (control characters,
 * which names of files may have) is shown as U+FFFD.
 *
 * @example
 * ```ts
 * import { escapeXml } from "./names.ts";
 * if (escapeXml('a<b & "c"\x01') !== "a&lt;b &amp; &quot;c&quot;\uFFFD") throw new Error();
 * ```
 */
export function escapeXml(text: string): string {
  if (!/[^ !#-%'-;=?-~]/.test(text)) return text;
  return text.toWellFormed()
    .replace(forbidden, "\uFFFD")
    .replace(/[&<>"\r]/g, (c) => entities[c]);
}

/** Can XML 1.0 hold all characters of a text? Section 2.2. */
export function allowed(text: string): boolean {
  return text.isWellFormed() && text.search(forbidden) === -1;
}

// deno-lint-ignore no-control-regex
const forbidden = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\r": "&#13;",
};
