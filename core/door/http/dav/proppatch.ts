/**
 * PROPPATCH: RFC 4918, section 9.2. All changes of a request are made, or none.
 *
 * Windows sets its own times and attributes: `Win32LastModifiedTime` sets the file's time, the others
 * are stored as dead properties.
 */
import { BargeError } from "../../../error.ts";
import { changeProperties } from "../../../session/property.ts";
import { setModified } from "../../../session/set_modified.ts";
import type { PropertyChange } from "../../../storage/properties.ts";
import type { View } from "../../../storage/view.ts";
import { parseDate } from "../condition.ts";
import type { AuthenticatedExchange } from "../exchange.ts";
import { hrefOf, prefix } from "./headers.ts";
import { entryAt, Guard } from "./guard.ts";
import { isLive } from "./live.ts";
import { multistatus, propstat, responseElement } from "./multistatus.ts";
import { emptyElement } from "./propfind.ts";
import {
  elementsIn,
  inLanguageOf,
  is,
  isDav,
  parseXml,
  textIn,
  writeXml,
  type XmlElement,
} from "./xml.ts";

const maxBodyBytes = 192 * 1024;
const windowsTime = { space: "urn:schemas-microsoft-com:", local: "Win32LastModifiedTime" };

interface Change {
  readonly property: XmlElement;
  readonly set: boolean;
}

export async function proppatch(exchange: AuthenticatedExchange): Promise<Response> {
  const { path } = exchange.pathBelow(prefix);
  const { session } = exchange;
  const guard = new Guard(exchange, path);
  const changes = parse(await exchange.body.text(maxBodyBytes));
  const entry = await entryAt(session, path);
  if (!entry) throw new BargeError("not-found", "there is no such file or folder");
  const href = hrefOf(exchange.door.proxy.prefix, path, entry.type === "dir");
  const names = (of: readonly Change[]) =>
    of.map(({ property }) => emptyElement(property)).join("");
  const live = changes.filter(({ property }) => isLive(property));
  if (live.length > 0) {
    const others = changes.filter((change) => !live.includes(change));
    const refused = propstat(403, names(live), "cannot-modify-protected-property");
    const failed = others.length > 0 ? propstat(424, names(others)) : "";
    return multistatus([responseElement(href, refused + failed)]);
  }
  const times = changes.filter(({ property, set }) => set && is(property, windowsTime));
  const dates = times.map(({ property }) => parseDate(textIn(property)));
  if (dates.includes(undefined)) {
    throw new BargeError("usage", "Win32LastModifiedTime is not a time");
  }
  const modified = dates.at(-1);
  const kept = changes.filter((change) => !times.includes(change));
  const check = (view: View) => guard.check(view, { [path]: "content" });
  await changeProperties(session, path, kept.map(toKeep), check);
  if (modified !== undefined) await setModified(session, path, modified);
  return multistatus([responseElement(href, propstat(200, names(changes)))]);
}

function toKeep({ property, set }: Change): PropertyChange {
  const { space, local } = property;
  return set ? { space, local, xml: writeXml(property) } : { space, local };
}

/** Parses the body: the changes in order. @throws {BargeError} `usage` */
function parse(text: string): Change[] {
  const root = parseXml(text);
  const changes: Change[] = [];
  for (const step of isDav(root, "propertyupdate") ? childrenOf(root) : []) {
    const set = isDav(step, "set");
    if (!set && !isDav(step, "remove")) continue;
    for (const each of childrenOf(step)) {
      if (!isDav(each, "prop")) continue;
      changes.push(...childrenOf(each).map((property) => ({ property, set })));
    }
  }
  if (changes.length > 0) return changes;
  throw new BargeError("usage", "the body is not a DAV:propertyupdate, or has no changes");
}

/** Returns the child elements, each with the language that it inherits (section 4.3). */
function childrenOf(outer: XmlElement): XmlElement[] {
  return elementsIn(outer).map((inner) => inLanguageOf(inner, outer));
}
