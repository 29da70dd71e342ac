/**
 * XML as WebDAV's clients send it, read from strangers: no DOCTYPE, and so no entities of their own;
 * bounded in size (by the body), depth and number of elements; namespaces resolved here, as the
 * parser knows nothing of them (Namespaces in XML 1.0).
 *
 * Comments and processing instructions are dropped, CDATA becomes text.
 */
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { BargeError } from "../../../error.ts";
import { allowed, escapeXml, type XmlName, xmlSpace } from "./names.ts";

export interface XmlElement extends XmlName {
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly (XmlElement | string)[];
}

export interface XmlAttribute extends XmlName {
  readonly value: string;
}

/** Elements in elements; tags at all; attributes of one. */
const deepest = 32;
const mostTags = 4000;
const mostAttributes = 100;

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: "",
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false, // decoded below: the five of XML, and characters by number
  htmlEntities: false,
  cdataPropName: "#cdata",
  ignoreDeclaration: true,
  ignorePiTags: true,
  maxNestedTags: deepest,
});

/** As the parser gives it: the tag's name leads to what is in it, ":@" to its attributes. */
type Raw = { readonly [tag: string]: readonly Raw[] | string | Record<string, string> };

/** What the prefixes mean at some place; "" is the default. */
type Scope = ReadonlyMap<string, string>;

/**
 * The root element of a document.
 *
 * @throws {BargeError} `usage` for what is not well-formed, too deep or too much, or has a DOCTYPE
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
  if (/<!(?!--|\[CDATA\[)/.test(text)) throw refuse("a DOCTYPE is not allowed");
  let tags = 0;
  for (let at = text.indexOf("<"); at !== -1; at = text.indexOf("<", at + 1)) tags++;
  if (tags > mostTags) throw refuse("it has too many elements");
  if (!allowed(text)) throw refuse("it has characters that XML can't have");
  let raw: readonly Raw[];
  try {
    raw = parser.parse(text) as Raw[]; // bounds the depth before the validator goes through it
    const valid = XMLValidator.validate(text);
    if (valid !== true) throw new Error(valid.err.msg);
  } catch (error) {
    throw refuse((error as Error).message);
  }
  const roots = raw.filter((node) => !("#text" in node));
  if (!/^\s*<[^]*>\s*$/.test(text)) throw refuse("there is text around it");
  if (roots.length !== 1) throw refuse("it has not one root element");
  return element(roots[0], new Map([["xml", xmlSpace]]));
}

/** The elements in an element, without the text between them. */
export function elementsIn({ children }: XmlElement): XmlElement[] {
  return children.filter((child) => typeof child !== "string");
}

/** The text in an element, without that in the elements in it. */
export function textIn({ children }: XmlElement): string {
  return children.filter((child) => typeof child === "string").join("");
}

/** An element that says in which language it is, if only what it is in says so. */
export function inLanguageOf(inner: XmlElement, outer: XmlElement): XmlElement {
  const language = (of: XmlElement) => of.attributes.find((each) => is(each, languageName));
  const inherited = language(outer);
  if (!inherited || language(inner)) return inner;
  return { ...inner, attributes: [...inner.attributes, inherited] };
}

const languageName: XmlName = { space: xmlSpace, local: "lang" };

/** Is it an element of that name? */
export function is(element: XmlName, { space, local }: XmlName): boolean {
  return element.space === space && element.local === local;
}

/**
 * An element as text that means the same wherever it is put.
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
  if (space !== outer) tag += ` xmlns="${escapeXml(space)}"`;
  for (const [i, { space, local, value }] of attributes.entries()) {
    if (space === "") tag += ` ${local}="${attribute(value)}"`;
    else if (space === xmlSpace) tag += ` xml:${local}="${attribute(value)}"`;
    else tag += ` xmlns:n${i}="${escapeXml(space)}" n${i}:${local}="${attribute(value)}"`;
  }
  if (children.length === 0) return `<${tag}/>`;
  const inner = children.map((child) =>
    typeof child === "string" ? escapeXml(child) : writeXml(child, space)
  );
  return `<${tag}>${inner.join("")}</${local}>`;
}

function element(raw: Raw, outer: Scope): XmlElement {
  const { ":@": given = {}, ...rest } = raw;
  const [[tag, content]] = Object.entries(rest) as [string, readonly Raw[]][];
  const pairs = Object.entries(given as Record<string, string>);
  if (pairs.length > mostAttributes) throw refuse("an element has too many attributes");
  const values = pairs.map(([name, value]) => [name, decode(value)] as const);
  const scope = declare(values, outer);
  const attributes: XmlAttribute[] = [];
  for (const [name, value] of values) {
    if (name === "xmlns" || name.startsWith("xmlns:")) continue;
    const found = name.includes(":") ? resolve(name, scope) : { space: "", local: checked(name) };
    if (attributes.some((other) => is(other, found))) throw refuse(`${name} is there twice`);
    attributes.push({ ...found, value });
  }
  const children: (XmlElement | string)[] = [];
  const say = (text: string) => {
    const last = children.at(-1);
    if (typeof last === "string") children[children.length - 1] = last + text;
    else if (text !== "") children.push(text);
  };
  for (const child of content) {
    if (typeof child["#text"] === "string") say(decode(child["#text"]));
    else if ("#cdata" in child) {
      for (const part of child["#cdata"] as readonly Raw[]) say(String(part["#text"] ?? ""));
    } else children.push(element(child, scope));
  }
  return { ...resolve(tag, scope), attributes, children };
}

/** The scope that an element's attributes make of the one around it. */
function declare(values: readonly (readonly [string, string])[], outer: Scope): Scope {
  const declared = values.filter(([name]) => name === "xmlns" || name.startsWith("xmlns:"));
  if (declared.length === 0) return outer;
  const scope = new Map(outer);
  for (const [name, space] of declared) {
    const prefix = name.slice("xmlns:".length);
    if (name !== "xmlns") {
      checked(prefix);
      if (space === "") throw refuse(`the prefix ${prefix} is declared as nothing`);
      if (prefix === "xmlns") throw refuse("the prefix xmlns is declared");
    }
    if (space === xmlnsSpace || (prefix === "xml") !== (space === xmlSpace)) {
      throw refuse("a namespace of XML's own is declared");
    }
    scope.set(prefix, space);
  }
  return scope;
}

const xmlnsSpace = "http://www.w3.org/2000/xmlns/";

function resolve(name: string, scope: Scope): XmlName {
  const colon = name.indexOf(":");
  const prefix = colon === -1 ? "" : checked(name.slice(0, colon));
  const space = scope.get(prefix);
  if (space === undefined && prefix !== "") throw refuse(`the prefix ${prefix} is not declared`);
  return { space: space ?? "", local: checked(name.slice(colon + 1)) };
}

const start =
  "A-Z_a-z\\xC0-\\xD6\\xD8-\\xF6\\xF8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C\\u200D\\u2070-\\u218F" +
  "\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}";
const ncName = new RegExp(`^[${start}][${start}.0-9\\xB7\\u0300-\\u036F\\u203F\\u2040-]*$`, "u");

/** A name without a prefix. */
function checked(name: string): string {
  if (!ncName.test(name)) throw refuse("a name is malformed");
  return name;
}

const references: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function decode(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&([^;&]{0,10});?/g, (whole, name: string) => {
    const known = whole.endsWith(";") ? references[name] ?? character(name) : undefined;
    if (known === undefined) throw refuse("a reference to what is not there");
    return known;
  });
}

function character(name: string): string | undefined {
  const [, hex, decimal] = /^#(?:x([0-9A-Fa-f]+)|([0-9]+))$/.exec(name) ?? [];
  const code = hex ? parseInt(hex, 16) : Number(decimal ?? NaN);
  if (!(code <= 0x10ffff)) return undefined;
  const text = String.fromCodePoint(code);
  return allowed(text) ? text : undefined;
}

/** In an attribute, a parser makes a space of a line break that is not written by number. */
function attribute(value: string): string {
  return escapeXml(value).replaceAll("\n", "&#10;").replaceAll("\t", "&#9;");
}

function refuse(why: string): BargeError {
  return new BargeError("usage", `the XML is not as it must be: ${why}`);
}
