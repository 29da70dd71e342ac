/** A folder's entries in the order and part that a page shows. */
import type { Entry, Omission } from "../../../protocol/message.ts";
import { entriesNamed, list } from "../../../session/list.ts";
import { Omitted } from "../../../session/omitted.ts";
import type { Session } from "../../../login/session.ts";

/** What to show of a folder. */
export interface Wanted {
  readonly sort: "name" | "size" | "modified";
  readonly descending: boolean;
  /** What names have to contain, in whatever case; empty for all. */
  readonly filter: string;
  /** From 1. */
  readonly page: number;
}

/** A part of a folder. */
export interface Listing {
  readonly entries: readonly Entry[];
  /** Entries that the filter lets through, and all. */
  readonly matching: number;
  readonly total: number;
  readonly pages: number;
  /** Of all files that match. */
  readonly bytes: number;
  /** Entries that exist and can't be shown. */
  readonly omitted?: Omission;
}

/** Rows a page. */
export const perPage = 500;

/** Reads it from a query; what makes no sense is as if it was not there. */
export function wantedOf(query: URLSearchParams): Wanted {
  const sort = query.get("sort");
  return {
    sort: sort === "size" || sort === "modified" ? sort : "name",
    descending: query.get("order") === "desc",
    filter: (query.get("q") ?? "").slice(0, 200),
    page: Math.max(1, Math.floor(Number(query.get("page"))) || 1),
  };
}

/** The key that an entry is sorted by: all that is held of a folder's entries but those on the page. */
interface Key {
  readonly name: string;
  readonly folder: boolean;
  /** Its size, or its time in ms since 1970; 0 where the order is that of names. */
  readonly by: number;
}

/** @throws {BargeError} as `list` */
export async function listing(session: Session, path: string, wanted: Wanted): Promise<Listing> {
  const needle = wanted.filter.toLocaleLowerCase();
  const found: Key[] = [];
  const omitted = new Omitted();
  let [total, bytes] = [0, 0];
  for await (const batch of list(session, path, false, omitted)) {
    total += batch.length;
    for (const entry of batch) {
      if (needle !== "" && !entry.name.toLocaleLowerCase().includes(needle)) continue;
      found.push(keyOf(entry, wanted));
      bytes += entry.size;
    }
  }
  found.sort(order(wanted));
  const pages = Math.max(1, Math.ceil(found.length / perPage));
  const from = (Math.min(wanted.page, pages) - 1) * perPage;
  const shown = found.slice(from, from + perPage).map(({ name }) => name);
  return {
    entries: await entriesNamed(session, path, shown),
    matching: found.length,
    total,
    pages,
    bytes,
    omitted: omitted.omission,
  };
}

function keyOf({ name, type, size, modified }: Entry, { sort }: Wanted): Key {
  const by = sort === "size" ? size : sort === "modified" ? Date.parse(modified) : 0;
  return { name, folder: type === "dir", by };
}

const names = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** Folders come first, whatever the order. */
function order({ descending }: Wanted): (a: Key, b: Key) => number {
  const sign = descending ? -1 : 1;
  return (a, b) => {
    if (a.folder !== b.folder) return a.folder ? -1 : 1;
    return sign * (a.by - b.by || names.compare(a.name, b.name) || (a.name < b.name ? -1 : 1));
  };
}
