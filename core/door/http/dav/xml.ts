/**
 * Reads and writes XML of untrusted WebDAV clients. A DOCTYPE, which could define entities, is refused.
 * Size (by the body), depth and number of elements are limited. Comments and processing instructions
 * are dropped, CDATA becomes text.
 */
import { SaxesParser } from "saxes";
import { BargeError } from "../../../error.ts";

/** The name of an element or attribute: a namespace ("" for none) and a local name. */
export interface XmlName {
  readonly space: string;
  readonly local: string;
}

/** The namespace of RFC 4918. */
export const dav = "DAV:";
/** The namespace of the prefix `xml`. */
const xmlSpace = "http://www.w3.org/XML/1998/namespace";

export interface XmlElement extends XmlName {
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly (XmlElement | string)[];
}

export interface XmlAttribute extends XmlName {
  readonly value: string;
}

const maxDepth = 32;
const maxTags = 4000;
const maxAttributes = 100;
/** The namespace of the attributes that declare namespaces. */
const xmlnsSpace = "http://www.w3.org/2000/xmlns/";

/**
 * Parses a document, and returns its root element.
 *
 * @throws {BargeError} `usage` for XML that is malformed, too deep or too large, or has a DOCTYPE
 *
 * @example
 * ```ts
 * import { parseXml } from "./xml.ts";
 * const root = parseXml('<D:prop xmlns:D="DAV:" xmlns="x"><a>1 &lt; 2</a></D:prop>');
 * if (root.space !== "DAV:" || root.local !== "prop") throw new Error();
 * const [a] = root.children;
 * if (typeof a === "string" || a.space !== "x" || a.children[0] !== "1 < 2") throw new Error();
 * ```
 */
export function parseXml(text: string): XmlElement {
  const version = { defaultXMLVersion: "1.0", forceXMLVersion: true } as const;
  const parser = new SaxesParser({ xmlns: true, position: false, ...version });
  const root: (XmlElement | string)[] = [];
  /** The children of each open element, from the document to the innermost one. */
  const open = [root];
  let tags = 0;
  parser.on("error", ({ message }) => {
    throw refuse(message);
  });
  parser.on("doctype", () => {
    throw refuse("a DOCTYPE is not allowed");
  });
  parser.on("opentag", ({ uri, local, attributes }) => {
    if (++tags > maxTags) throw refuse("it has too many elements");
    if (open.length > maxDepth) throw refuse("its elements are nested too deeply");
    const all = Object.values(attributes).filter(({ uri }) => uri !== xmlnsSpace);
    if (all.length > maxAttributes) throw refuse("an element has too many attributes");
    const children: XmlElement["children"][number][] = [];
    open.at(-1)!.push({
      space: uri,
      local,
      attributes: all.map(({ uri, local, value }) => ({ space: uri, local, value })),
      children,
    });
    open.push(children);
  });
  parser.on("closetag", () => void open.pop());
  const addText = (text: string) => {
    const children = open.at(-1)!;
    if (typeof children.at(-1) === "string") children.push(children.pop() + text);
    else if (text !== "" && open.length > 1) children.push(text);
  };
  parser.on("text", addText);
  parser.on("cdata", addText);
  parser.write(text).close();
  return root[0] as XmlElement;
}

/** Returns the child elements, without text. */
export function elementsIn({ children }: XmlElement): XmlElement[] {
  return children.filter((child) => typeof child !== "string");
}

/** Returns the first child element of a name in `DAV:`. */
export function childOf(element: XmlElement | undefined, local: string): XmlElement | undefined {
  return element && elementsIn(element).find((child) => isDav(child, local));
}

/** Returns the text of an element, without the text of its child elements. */
export function textIn({ children }: XmlElement): string {
  return children.filter((child) => typeof child === "string").join("");
}

/** Returns an element with the language of the outer one, unless it has its own. */
export function inLanguageOf(inner: XmlElement, outer: XmlElement): XmlElement {
  const language = (of: XmlElement) => of.attributes.find((each) => is(each, languageName));
  const inherited = language(outer);
  if (!inherited || language(inner)) return inner;
  return { ...inner, attributes: [...inner.attributes, inherited] };
}

const languageName: XmlName = { space: xmlSpace, local: "lang" };

/** Returns whether an element has a name. */
export function is(element: XmlName, { space, local }: XmlName): boolean {
  return element.space === space && element.local === local;
}

/** Returns whether an element has a name in `DAV:`. */
export function isDav(element: XmlName, local: string): boolean {
  return is(element, { space: dav, local });
}

/**
 * Writes an element with all its namespaces, so that it can stand in any document.
 *
 * @example
 * ```ts
 * import { parseXml, writeXml } from "./xml.ts";
 * const text = writeXml(parseXml('<p:a xmlns:p="x" b="1"><c/>&amp;</p:a>'));
 * if (text !== '<a xmlns="x" b="1"><c xmlns=""/>&amp;</a>') throw new Error(text);
 * ```
 */
export function writeXml(element: XmlElement, outer?: string): string {
  const { space, local, attributes, children } = element;
  let tag = local;
  if (space !== outer) tag += ` xmlns="${attributeText(space)}"`;
  for (const [i, { space, local, value }] of attributes.entries()) {
    if (space === "") tag += ` ${local}="${attributeText(value)}"`;
    else if (space === xmlSpace) tag += ` xml:${local}="${attributeText(value)}"`;
    else tag += ` xmlns:n${i}="${attributeText(space)}" n${i}:${local}="${attributeText(value)}"`;
  }
  if (children.length === 0) return `<${tag}/>`;
  const inner = children.map((child) =>
    typeof child === "string" ? escapeXml(child) : writeXml(child, space)
  );
  return `<${tag}>${inner.join("")}</${local}>`;
}

/**
 * Escapes text for an element or attribute. Characters that XML can't have (control characters, which
 * names of files may have) become U+FFFD.
 *
 * @example
 * ```ts
 * import { escapeXml } from "./xml.ts";
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

/** Escapes an attribute's value. Parsers replace unescaped line breaks and tabs in it by spaces. */
function attributeText(value: string): string {
  return escapeXml(value).replaceAll("\n", "&#10;").replaceAll("\t", "&#9;");
}

function refuse(why: string): BargeError {
  return new BargeError("usage", `the XML is not valid: ${why}`);
}
