/** Live properties, which the server computes: RFC 4918, section 15, and RFC 4331. */
import type { Entry, Usage } from "../../../protocol/message.ts";
import { lockedPath, type VisibleLock } from "../../../session/lock.ts";
import { davTag, httpDate } from "../condition.ts";
import { typeOf } from "../download.ts";
import { hrefOf } from "./headers.ts";
import { dav, escapeXml, type XmlName } from "./xml.ts";

/** The facts of a file or folder that make its properties. */
export interface Subject {
  /** The start of all URLs of the server. */
  readonly base: string;
  readonly path: string;
  readonly entry: Entry;
  /** The time of creation, in ms since 1970; undefined if it is unknown. */
  readonly created: number | undefined;
  /** The locks that apply to it. */
  readonly locks: readonly VisibleLock[];
  /** The account's usage, the same for all entries of a response. */
  readonly usage: Usage;
}

/** @returns the content of the element; undefined if the subject lacks the property */
type Live = (subject: Subject) => string | undefined;

const kinds = ["exclusive", "shared"];
const lockTypes = kinds.map((kind) =>
  `<D:lockentry><D:lockscope><D:${kind}/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>`
).join("");

const file = (of: (entry: Entry, path: string) => string): Live => ({ entry, path }) =>
  entry.type === "file" ? of(entry, path) : undefined;

const live: Readonly<Record<string, Live>> = {
  creationdate: ({ created }) =>
    created === undefined ? undefined : new Date(created).toISOString(),
  displayname: ({ entry }) => escapeXml(entry.name),
  getcontentlength: file(({ size }) => String(size)),
  getcontenttype: file((_, path) => escapeXml(typeOf(path))),
  getetag: file((entry) => escapeXml(davTag({ ...entry, modified: Date.parse(entry.modified) }))),
  getlastmodified: ({ entry }) => httpDate(Date.parse(entry.modified)),
  lockdiscovery: ({ locks, base }) => locks.map((lock) => activeLock(lock, base)).join(""),
  resourcetype: ({ entry }) => entry.type === "dir" ? "<D:collection/>" : "",
  supportedlock: () => lockTypes,
  "quota-available-bytes": ({ usage: { left } }) => left === null ? undefined : String(left),
  "quota-used-bytes": ({ usage: { used } }) => String(used),
};

/** The properties that answer `allprop`. RFC 4331, section 2, excludes the quota. */
export const allpropNames = Object.keys(live).filter((name) => !name.startsWith("quota-"));

/** Returns whether a property is live. */
export function isLive({ space, local }: XmlName): boolean {
  return space === dav && Object.hasOwn(live, local);
}

/** Returns a live property as an element; undefined if the subject lacks it. */
export function liveProperty(local: string, subject: Subject): string | undefined {
  const inner = live[local](subject);
  if (inner === undefined) return undefined;
  return inner === "" ? `<D:${local}/>` : `<D:${local}>${inner}</D:${local}>`;
}

/** Returns a lock as an element (section 14.1). @param base the start of the server's URLs */
export function activeLock(lock: VisibleLock, base: string): string {
  const left = Math.max(0, Math.ceil((lock.until - Date.now()) / 1000));
  const lockedAt = hrefOf(base, lockedPath(lock), false);
  return `<D:activelock><D:locktype><D:write/></D:locktype>` +
    `<D:lockscope><D:${lock.shared ? "shared" : "exclusive"}/></D:lockscope>` +
    `<D:depth>${lock.deep ? "infinity" : "0"}</D:depth>` +
    (lock.owner && `<D:owner>${lock.owner}</D:owner>`) +
    `<D:timeout>Second-${left}</D:timeout>` +
    (lock.token === null
      ? ""
      : `<D:locktoken><D:href>${escapeXml(lock.token)}</D:href></D:locktoken>`) +
    `<D:lockroot><D:href>${escapeXml(lockedAt)}</D:href></D:lockroot>` +
    `</D:activelock>`;
}
