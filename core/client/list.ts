/** Lists a remote folder, page by page. */
import { BargeError } from "../error.ts";
import type { Entry, Omission } from "../protocol/message.ts";
import type { Client, Turn } from "./client.ts";
import { localFault } from "./local_name.ts";

export interface ListOptions {
  /** List folders with their contents; names are then paths relative to the listed folder. */
  readonly recursive?: boolean;
  /** Called at the end if the listing omits names that the server can't show. */
  readonly onOmitted?: (omission: Omission) => void;
}

/**
 * Yields entries by name, a folder before its contents; a file lists itself. One page is held at a
 * time, so the loop must not await other requests of this connection.
 *
 * @throws {BargeError} `not-found`, `denied`; `protocol` for a name that leads out of the folder
 */
export async function* list(
  client: Client,
  path: string,
  { recursive = false, onOmitted }: ListOptions = {},
): AsyncGenerator<Entry, void, void> {
  const pages: Entry[][] = [];
  const folders = recursive ? new Set<string>() : undefined;
  let abandoned = false;
  let arrived = Promise.withResolvers<void>();
  let taken = Promise.withResolvers<void>();
  const turn: Turn<true> = async (frames) => {
    for (let more = true; more;) {
      const page = await client.next("list", frames);
      more = page.more;
      if (abandoned) continue;
      for (const entry of page.entries) check(entry, path, folders);
      if (page.omitted) onOmitted?.(page.omitted);
      pages.push(page.entries);
      arrived.resolve();
      if (more) await client.aside(taken.promise);
      taken = Promise.withResolvers();
    }
    return true;
  };
  const ended = client.request({ verb: "list", path, recursive }, turn);
  ended.catch(() => {/* awaited below, unless the caller abandons the listing */});
  try {
    for (let last = false; !last;) {
      last = await Promise.race([ended, arrived.promise.then(() => false)]);
      arrived = Promise.withResolvers();
      for (const page of pages.splice(0)) yield* page;
      taken.resolve();
    }
  } finally {
    abandoned = true;
    taken.resolve();
  }
}

/** Returns all entries that {@link list} yields. */
export function listAll(client: Client, path: string, options?: ListOptions): Promise<Entry[]> {
  return Array.fromAsync(list(client, path, options));
}

/**
 * Checks a listed name, since a malicious server could cause writes outside the folder: with `..` in a
 * name, or with a name below a folder that it has not listed and that is a local link.
 *
 * @param folders listed before; undefined for a listing that is not recursive
 */
function check({ name, type }: Entry, path: string, folders: Set<string> | undefined): void {
  const slash = name.lastIndexOf("/");
  const isBelow = slash === -1 || folders?.has(name.slice(0, slash));
  if (isBelow && localFault(name, false) === undefined) {
    if (type === "dir") folders?.add(name);
    return;
  }
  throw new BargeError("protocol", `the server lists the name ${JSON.stringify(name)}`, {
    op: "list",
    path,
  });
}
