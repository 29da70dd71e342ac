/**
 * PROPFIND: RFC 4918, section 9.1. A folder is answered while it is read, so that a huge one costs
 * neither memory nor anyone's patience. Depth infinity is refused, as the RFC allows.
 */
import { BargeError } from "../../../error.ts";
import type { Entry } from "../../../protocol/message.ts";
import type { Session } from "../../../login/session.ts";
import { list } from "../../../session/list.ts";
import { locksIn, locksOver } from "../../../session/lock.ts";
import { anyPropertiesIn, propertiesOf } from "../../../session/property.ts";
import { quota } from "../../../session/quota.ts";
import { created, stat } from "../../../session/stat.ts";
import type { AuthenticatedExchange, Source } from "../exchange.ts";
import { asked, depth, hrefOf } from "./headers.ts";
import { isLive, liveProperty, type Subject, usualNames } from "./live.ts";
import { begin, propstat, response, xmlType } from "./multistatus.ts";
import { dav, escapeXml, type XmlName } from "./names.ts";
import { Precondition } from "./precondition.ts";
import { elementsIn, is, parseXml } from "./xml.ts";

/** Bytes that the request may have, and names that it may ask for. */
const longest = 32 * 1024;
const mostNames = 256;

/** What is asked for: all, with more; the names of all; or some. */
type Wanted =
  | { readonly type: "all"; readonly also: readonly XmlName[] }
  | { readonly type: "names" }
  | { readonly type: "some"; readonly names: readonly XmlName[] };

export async function propfind(exchange: AuthenticatedExchange): Promise<Response> {
  const { path } = asked(exchange);
  const session = exchange.session;
  const deep = depth(exchange) ?? "infinity";
  const wanted = parse(await exchange.body.text(longest));
  const { entry } = await stat(session, path);
  if (!entry) throw new BargeError("not-found", "there is only a part of it yet");
  if (deep === "infinity" && entry.type === "dir") {
    throw new Precondition(403, "propfind-finite-depth", "Depth must be 0 or 1");
  }
  return exchange.send(answer(exchange, path, entry, deep, wanted), {
    status: 207,
    headers: xmlType,
  });
}

async function* answer(
  { session, door }: AuthenticatedExchange,
  path: string,
  entry: Entry,
  deep: "0" | "1" | "infinity",
  wanted: Wanted,
): Source {
  const encoder = new TextEncoder();
  const usage = await quota(session);
  const base = door.front.prefix;
  const self = { base, path, entry, locks: await locksOver(session, path), usage };
  const head = `${begin}<D:multistatus xmlns:D="DAV:">\n`;
  yield encoder.encode(head + await describe(session, self, wanted, true));
  if (deep === "1" && entry.type === "dir") {
    const locks = await locksIn(session, path);
    const dead = await anyPropertiesIn(session, path);
    for await (const batch of list(session, path, false)) {
      const responses = await Promise.all(batch.map((entry) => {
        const below = path === "/" ? `/${entry.name}` : `${path}/${entry.name}`;
        const over = [...locks.each.get(entry.name) ?? [], ...locks.all];
        const subject = { base, path: below, entry, locks: over, usage };
        return describe(session, subject, wanted, dead);
      }));
      yield encoder.encode(responses.join(""));
    }
  }
  yield encoder.encode("</D:multistatus>\n");
}

/** @param dead may it have dead properties? */
async function describe(
  session: Session,
  facts: Omit<Subject, "created">,
  wanted: Wanted,
  dead: boolean,
): Promise<string> {
  const { base, path, entry } = facts;
  const subject = {
    ...facts,
    created: includesCreated(wanted) ? await created(session, path) : undefined,
  };
  const own = dead ? await propertiesOf(session, path) : [];
  const href = hrefOf(base, path, entry.type === "dir");
  const found: string[] = [];
  const missing: string[] = [];
  const say = (name: XmlName) => {
    const text = isLive(name)
      ? liveProperty(name.local, subject)
      : own.find((property) => is(property, name))?.xml;
    if (text === undefined) missing.push(emptyElement(name));
    else found.push(text);
  };
  if (wanted.type === "some") wanted.names.forEach(say);
  else {
    const usual = usualNames.flatMap((local) => {
      const text = liveProperty(local, subject);
      return text === undefined ? [] : wanted.type === "names" ? `<D:${local}/>` : text;
    });
    found.push(...usual);
    found.push(...own.map((each) => wanted.type === "names" ? emptyElement(each) : each.xml));
    if (wanted.type === "all") wanted.also.forEach(say);
  }
  const parts = [
    found.length > 0 || missing.length === 0 ? propstat(200, found.join("")) : "",
    missing.length > 0 ? propstat(404, missing.join("")) : "",
  ];
  return `${response(href, parts.join(""))}\n`;
}

/** Returns whether an answer needs the time when an entry was made, which is a look at the disk. */
function includesCreated(wanted: Wanted): boolean {
  return wanted.type !== "some" ||
    wanted.names.some(({ space, local }) => space === dav && local === "creationdate");
}

/** A property's name as an element. */
export function emptyElement({ space, local }: XmlName): string {
  return space === dav ? `<D:${local}/>` : `<${local} xmlns="${escapeXml(space)}"/>`;
}

/** @throws {BargeError} `usage` */
function parse(text: string): Wanted {
  if (text === "") return { type: "all", also: [] };
  const root = parseXml(text);
  const child = (local: string) => elementsIn(root).find((e) => is(e, { space: dav, local }));
  if (!is(root, { space: dav, local: "propfind" })) {
    throw new BargeError("usage", "the body is no DAV:propfind");
  }
  if (child("propname")) return { type: "names" };
  const asksFor = child("allprop") ? child("include") : child("prop");
  const names = asksFor ? elementsIn(asksFor).map(({ space, local }) => ({ space, local })) : [];
  if (names.length > mostNames) {
    throw new BargeError("usage", `more than ${mostNames} properties at once`);
  }
  if (child("prop")) return { type: "some", names };
  if (!child("allprop")) throw new BargeError("usage", "the body asks for nothing");
  return {
    type: "all",
    also: names.filter(({ space, local }) => space !== dav || !usualNames.includes(local)),
  };
}
