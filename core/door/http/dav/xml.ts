/**
 * Reads and writes XML of untrusted WebDAV clients. A DOCTYPE, which could define entities, is refused.
 * Size (by the body), depth and number of elements are limited. Namespaces (Namespaces in XML 1.0) are
 * resolved here, since the parser ignores them. Comments and processing instructions are dropped, CDATA
 * becomes text.
 */
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { BargeError } from "../../../error.ts";
import { allowed, dav, escapeXml, type XmlName, xmlSpace } from "./names.ts";

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

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: "",
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false, // decoded below: the five entities of XML, and characters by number
  htmlEntities: false,
  cdataPropName: "#cdata",
  ignoreDeclaration: true,
  ignorePiTags: true,
  maxNestedTags: maxDepth,
});

/** A node of the parser: the tag's name maps to the children, ":@" to the attributes. */
type Raw = { readonly [tag: string]: readonly Raw[] | string | Record<string, string> };

/** The namespaces by prefix at some element; "" is the default namespace. */
type Scope = ReadonlyMap<string, string>;

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
  if (/<!(?!--|\[CDATA\[)/.test(text)) throw refuse("a DOCTYPE is not allowed");
  let tags = 0;
  for (let at = text.indexOf("<"); at !== -1; at = text.indexOf("<", at + 1)) tags++;
  if (tags > maxTags) throw refuse("it has too many elements");
  if (!allowed(text)) throw refuse("it has characters that XML does not allow");
  let raw: readonly Raw[];
  try {
    raw = parser.parse(text) as Raw[]; // limits the depth, which the validator does not
    const valid = XMLValidator.validate(text);
    if (valid !== true) throw new Error(valid.err.msg);
  } catch (error) {
    throw refuse((error as Error).message);
  }
  const roots = raw.filter((node) => !("#text" in node));
  if (!/^\s*<[^]*>\s*$/.test(text)) throw refuse("there is text outside the root element");
  if (roots.length !== 1) throw refuse("it must have one root element");
  return element(roots[0], new Map([["xml", xmlSpace]]));
}

/** Returns the child elements, without text. */
export function elementsIn({ children }: XmlElement): XmlElement[] {
  return children.filter((child) => typeof child !== "string");
}

/** Returns the first child element of a name in `DAV:`. */
export function childOf(element: XmlElement | undefined, local: string): XmlElement | undefined {
  return element && elementsIn(element).find((child) => isDav(child, local));
}

/** Returns the text of an element, without that of its child elements. */
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
  if (space !== outer) tag += ` xmlns="${escapeXml(space)}"`;
  for (const [i, { space, local, value }] of attributes.entries()) {
    if (space === "") tag += ` ${local}="${attributeText(value)}"`;
    else if (space === xmlSpace) tag += ` xml:${local}="${attributeText(value)}"`;
    else tag += ` xmlns:n${i}="${escapeXml(space)}" n${i}:${local}="${attributeText(value)}"`;
  }
  if (children.length === 0) return `<${tag}/>`;
  const inner = children.map((child) =>
    typeof child === "string" ? escapeXml(child) : writeXml(child, space)
  );
  return `<${tag}>${inner.join("")}</${local}>`;
}

function element(raw: Raw, outer: Scope): XmlElement {
  const { ":@": rawAttributes = {}, ...rest } = raw;
  const [[tag, content]] = Object.entries(rest) as [string, readonly Raw[]][];
  const pairs = Object.entries(rawAttributes as Record<string, string>);
  if (pairs.length > maxAttributes) throw refuse("an element has too many attributes");
  const values = pairs.map(([name, value]) => [name, decode(value)] as const);
  const scope = declare(values, outer);
  const attributes: XmlAttribute[] = [];
  for (const [name, value] of values) {
    if (name === "xmlns" || name.startsWith("xmlns:")) continue;
    const attribute = name.includes(":")
      ? resolve(name, scope)
      : { space: "", local: checked(name) };
    if (attributes.some((other) => is(other, attribute))) {
      throw refuse(`an element has ${name} twice`);
    }
    attributes.push({ ...attribute, value });
  }
  const children: (XmlElement | string)[] = [];
  const addText = (text: string) => {
    const last = children.at(-1);
    if (typeof last === "string") children[children.length - 1] = last + text;
    else if (text !== "") children.push(text);
  };
  for (const child of content) {
    if (typeof child["#text"] === "string") addText(decode(child["#text"]));
    else if ("#cdata" in child) {
      for (const part of child["#cdata"] as readonly Raw[]) addText(String(part["#text"] ?? ""));
    } else children.push(element(child, scope));
  }
  return { ...resolve(tag, scope), attributes, children };
}

/** Returns the scope of an element: the outer one, with the declarations of its attributes. */
function declare(values: readonly (readonly [string, string])[], outer: Scope): Scope {
  const declared = values.filter(([name]) => name === "xmlns" || name.startsWith("xmlns:"));
  if (declared.length === 0) return outer;
  const scope = new Map(outer);
  for (const [name, space] of declared) {
    const prefix = name.slice("xmlns:".length);
    if (name !== "xmlns") {
      checked(prefix);
      if (space === "") throw refuse(`the prefix ${prefix} is declared as empty`);
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

/** Checks a name without a prefix. */
function checked(name: string): string {
  if (!ncName.test(name)) throw refuse("a name is malformed");
  return name;
}

const references: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function decode(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&([^;&]{0,10});?/g, (whole, name: string) => {
    const character = whole.endsWith(";") ? references[name] ?? characterOf(name) : undefined;
    if (character === undefined) throw refuse("it has an unknown entity");
    return character;
  });
}

function characterOf(name: string): string | undefined {
  const [, hex, decimal] = /^#(?:x([0-9A-Fa-f]+)|([0-9]+))$/.exec(name) ?? [];
  const code = hex ? parseInt(hex, 16) : Number(decimal ?? NaN);
  if (!(code <= 0x10ffff)) return undefined;
  const text = String.fromCodePoint(code);
  return allowed(text) ? text : undefined;
}

/** Escapes an attribute's value. Parsers replace unescaped line breaks and tabs in it by spaces. */
function attributeText(value: string): string {
  return escapeXml(value).replaceAll("\n", "&#10;").replaceAll("\t", "&#9;");
}

function refuse(why: string): BargeError {
  return new BargeError("usage", `the XML is not valid: ${why}`);
}
