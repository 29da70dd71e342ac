/** A folder's entries in the order and part that a page shows. */
import type { Entry, Omission } from "../../../protocol/message.ts";
import { list } from "../../../session/list.ts";
import { Omitted } from "../../../session/omitted.ts";
import type { Session } from "../../../session/session.ts";

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

/** @throws {BargeError} as `list` */
export async function listing(session: Session, path: string, wanted: Wanted): Promise<Listing> {
  const needle = wanted.filter.toLocaleLowerCase();
  const found: Entry[] = [];
  const omitted = new Omitted();
  let total = 0;
  for await (const batch of list(session, path, false, omitted)) {
    total += batch.length;
    for (const entry of batch) {
      if (needle === "" || entry.name.toLocaleLowerCase().includes(needle)) found.push(entry);
    }
  }
  found.sort(order(wanted));
  const pages = Math.max(1, Math.ceil(found.length / perPage));
  const from = (Math.min(wanted.page, pages) - 1) * perPage;
  return {
    entries: found.slice(from, from + perPage),
    matching: found.length,
    total,
    pages,
    bytes: found.reduce((sum, { size }) => sum + size, 0),
    omitted: omitted.omission,
  };
}

const names = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** Folders come first, whatever the order. */
function order({ sort, descending }: Wanted): (a: Entry, b: Entry) => number {
  const sign = descending ? -1 : 1;
  return (a, b) => {
    if (a.type !== b.type) return a.type === "dir" ? -1 : 1;
    const by = sort === "size"
      ? a.size - b.size
      : sort === "modified"
      ? Date.parse(a.modified) - Date.parse(b.modified)
      : 0;
    return sign * (by || names.compare(a.name, b.name) || (a.name < b.name ? -1 : 1));
  };
}
