/** Sorts, filters and pages a folder's entries. */
import type { Entry } from "../../../protocol/message.ts";
import { entriesNamed, list } from "../../../session/list.ts";
import { Omitted } from "../../../session/omitted.ts";
import type { Session } from "../../../login/session.ts";

/** The part of a folder to show. */
export interface ListingQuery {
  readonly sort: "name" | "size" | "modified";
  readonly descending: boolean;
  /** Shows only names that contain this text, in any case; empty for all. */
  readonly filter: string;
  /** From 1. */
  readonly page: number;
}

/** The most rows of a page. */
export const perPage = 500;

/** Reads a query; ignores malformed fields. */
export function listingQueryOf(query: URLSearchParams): ListingQuery {
  const sort = query.get("sort");
  return {
    sort: sort === "size" || sort === "modified" ? sort : "name",
    descending: query.get("order") === "desc",
    filter: (query.get("q") ?? "").slice(0, 200),
    page: Math.max(1, Math.floor(Number(query.get("page"))) || 1),
  };
}

/** Returns the URL of a query, below the folder's. */
export function listingUrl({ sort, descending, filter, page }: ListingQuery): string {
  const fields = new URLSearchParams({
    ...filter && { q: filter },
    ...sort !== "name" && { sort },
    ...descending && { order: "desc" },
    ...page > 1 && { page: String(page) },
  });
  return `?${fields}`;
}

/** The sort key of an entry. Only the entries of the shown page are read again in full. */
interface Key {
  readonly name: string;
  readonly folder: boolean;
  /** The size, or the time in ms since 1970; 0 for the order by name. */
  readonly by: number;
}

export type Listing = Awaited<ReturnType<typeof listing>>;

/**
 * Returns the part of a folder to show.
 *
 * @returns `matching` entries and their `bytes` of `total`; `omitted` are entries that can't be shown
 * @throws {BargeError} as `list`
 */
export async function listing(session: Session, path: string, query: ListingQuery) {
  const needle = query.filter.toLocaleLowerCase();
  const keys: Key[] = [];
  const omitted = new Omitted();
  let [total, bytes] = [0, 0];
  for await (const batch of list(session, path, false, omitted)) {
    total += batch.length;
    for (const entry of batch) {
      if (needle !== "" && !entry.name.toLocaleLowerCase().includes(needle)) continue;
      keys.push(keyOf(entry, query));
      bytes += entry.size;
    }
  }
  keys.sort(order(query));
  const pages = Math.max(1, Math.ceil(keys.length / perPage));
  const from = (Math.min(query.page, pages) - 1) * perPage;
  const shown = keys.slice(from, from + perPage).map(({ name }) => name);
  return {
    entries: await entriesNamed(session, path, shown),
    matching: keys.length,
    total,
    pages,
    bytes,
    omitted: omitted.omission,
  };
}

function keyOf({ name, type, size, modified }: Entry, { sort }: ListingQuery): Key {
  const by = sort === "size" ? size : sort === "modified" ? Date.parse(modified) : 0;
  return { name, folder: type === "dir", by };
}

const names = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** Compares keys; folders come first in every order. */
function order({ descending }: ListingQuery): (a: Key, b: Key) => number {
  const sign = descending ? -1 : 1;
  return (a, b) => {
    if (a.folder !== b.folder) return a.folder ? -1 : 1;
    return sign * (a.by - b.by || names.compare(a.name, b.name) || (a.name < b.name ? -1 : 1));
  };
}
