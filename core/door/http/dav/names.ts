/** Names and escaped text of XML. */

/** The name of an element or attribute: a namespace ("" for none) and a local name. */
export interface XmlName {
  readonly space: string;
  readonly local: string;
}

/** The namespace of RFC 4918. */
export const dav = "DAV:";
/** The namespace of the prefix `xml`. */
export const xmlSpace = "http://www.w3.org/XML/1998/namespace";

/**
 * Escapes text for an element or attribute. Characters that XML can't have (control characters, which
 * names of files may have) become U+FFFD.
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

// deno-lint-ignore no-control-regex
const forbidden = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\r": "&#13;",
};
