/** PROPFIND: RFC 4918, section 9.1, answered while the folder is read. Depth infinity is refused. */
import { BargeError } from "../../../error.ts";
import type { Entry } from "../../../protocol/message.ts";
import type { Session } from "../../../login/session.ts";
import { list } from "../../../session/list.ts";
import { locksIn, locksOver } from "../../../session/lock.ts";
import { anyPropertiesIn, propertiesOf } from "../../../session/property.ts";
import { quota } from "../../../session/quota.ts";
import { created, stat } from "../../../session/stat.ts";
import type { AuthenticatedExchange, Source } from "../exchange.ts";
import { join } from "../path.ts";
import { depth, hrefOf, prefix } from "./headers.ts";
import { allpropNames, isLive, liveProperty, type Subject } from "./live.ts";
import { begin, propstat, responseElement, xmlType } from "./multistatus.ts";
import { Precondition } from "./precondition.ts";
import { childOf, dav, elementsIn, escapeXml, is, isDav, parseXml, type XmlName } from "./xml.ts";

const maxBodyBytes = 32 * 1024;
/** The most properties that a request may name. */
const maxProperties = 256;

/** The requested properties: all and some others, the names of all, or some. */
type PropertyQuery =
  | { readonly type: "all"; readonly also: readonly XmlName[] }
  | { readonly type: "names" }
  | { readonly type: "some"; readonly names: readonly XmlName[] };

export async function propfind(exchange: AuthenticatedExchange): Promise<Response> {
  const { path } = exchange.pathBelow(prefix);
  const { session } = exchange;
  const deep = depth(exchange) ?? "infinity";
  const query = parse(await exchange.body.text(maxBodyBytes));
  const { entry } = await stat(session, path);
  if (!entry) throw new BargeError("not-found", "there is only a partial upload");
  if (deep === "infinity" && entry.type === "dir") {
    throw new Precondition(403, "propfind-finite-depth", "Depth must be 0 or 1");
  }
  return exchange.send(answer(exchange, path, entry, deep, query), {
    status: 207,
    headers: xmlType,
  });
}

async function* answer(
  { session, door }: AuthenticatedExchange,
  path: string,
  entry: Entry,
  deep: "0" | "1" | "infinity",
  query: PropertyQuery,
): Source {
  const encoder = new TextEncoder();
  const usage = await quota(session);
  const base = door.proxy.prefix;
  const self = { base, path, entry, locks: await locksOver(session, path), usage };
  const head = `${begin}<D:multistatus xmlns:D="DAV:">\n`;
  yield encoder.encode(head + await describe(session, self, query, true));
  if (deep === "1" && entry.type === "dir") {
    const locks = await locksIn(session, path);
    const dead = await anyPropertiesIn(session, path);
    for await (const batch of list(session, path, false)) {
      const responses = await Promise.all(batch.map((entry) => {
        const over = [...locks.each.get(entry.name) ?? [], ...locks.all];
        const subject = { base, path: join(path, entry.name), entry, locks: over, usage };
        return describe(session, subject, query, dead);
      }));
      yield encoder.encode(responses.join(""));
    }
  }
  yield encoder.encode("</D:multistatus>\n");
}

/** @param dead whether the entry may have dead properties */
async function describe(
  session: Session,
  facts: Omit<Subject, "created">,
  query: PropertyQuery,
  dead: boolean,
): Promise<string> {
  const { base, path, entry } = facts;
  const subject = {
    ...facts,
    created: includesCreated(query) ? await created(session, path) : undefined,
  };
  const own = dead ? await propertiesOf(session, path) : [];
  const href = hrefOf(base, path, entry.type === "dir");
  const found: string[] = [];
  const missing: string[] = [];
  const add = (name: XmlName) => {
    const text = isLive(name)
      ? liveProperty(name.local, subject)
      : own.find((property) => is(property, name))?.xml;
    if (text === undefined) missing.push(emptyElement(name));
    else found.push(text);
  };
  if (query.type === "some") query.names.forEach(add);
  else {
    const usual = allpropNames.flatMap((local) => {
      const text = liveProperty(local, subject);
      return text === undefined ? [] : query.type === "names" ? `<D:${local}/>` : text;
    });
    found.push(...usual);
    found.push(...own.map((each) => query.type === "names" ? emptyElement(each) : each.xml));
    if (query.type === "all") query.also.forEach(add);
  }
  const parts = [
    found.length > 0 || missing.length === 0 ? propstat(200, found.join("")) : "",
    missing.length > 0 ? propstat(404, missing.join("")) : "",
  ];
  return `${responseElement(href, parts.join(""))}\n`;
}

/** Returns whether a response has the time of creation, which is read from the disk. */
function includesCreated(query: PropertyQuery): boolean {
  return query.type !== "some" ||
    query.names.some((name) => isDav(name, "creationdate"));
}

/** Returns a property's name as an element. */
export function emptyElement({ space, local }: XmlName): string {
  return space === dav ? `<D:${local}/>` : `<${local} xmlns="${escapeXml(space)}"/>`;
}

/** Parses the body. @throws {BargeError} `usage` */
function parse(text: string): PropertyQuery {
  if (text === "") return { type: "all", also: [] };
  const root = parseXml(text);
  const child = (local: string) => childOf(root, local);
  if (!isDav(root, "propfind")) throw new BargeError("usage", "the body is not a DAV:propfind");
  if (child("propname")) return { type: "names" };
  const selection = child("allprop") ? child("include") : child("prop");
  const names = selection ? elementsIn(selection) : [];
  if (names.length > maxProperties) {
    throw new BargeError("usage", `more than ${maxProperties} properties at once`);
  }
  if (child("prop")) return { type: "some", names };
  if (!child("allprop")) throw new BargeError("usage", "the body names no properties");
  return {
    type: "all",
    also: names.filter(({ space, local }) => space !== dav || !allpropNames.includes(local)),
  };
}
