/** Lists a remote folder, as far as one wants: the server sends it in pages. */
import { BargeError } from "../error.ts";
import { encodeFrame } from "../protocol/frame.ts";
import type { Entry, Omission } from "../protocol/message.ts";
import type { Client } from "./client.ts";
import { localFault } from "./local_name.ts";

export interface ListOptions {
  /** With all that the folders in it hold; names are then paths relative to the folder. */
  readonly recursive?: boolean;
  /** Called at the end if the listing leaves names out that the server can't show. */
  readonly onOmitted?: (omission: Omission) => void;
}

/**
 * Entries in the server's order: by name, a folder before what it holds; a file lists itself. One
 * page is held at a time, so nothing else may be awaited from this connection inside the loop.
 *
 * @throws {BargeError} `not-found`, `denied`; `protocol` for a name that could lead out of the folder
 */
export async function* list(
  client: Client,
  path: string,
  { recursive = false, onOmitted }: ListOptions = {},
): AsyncGenerator<Entry, void, void> {
  const request = encodeFrame({ verb: "list", path, recursive });
  const pages: Entry[][] = [];
  const folders = recursive ? new Set<string>() : undefined;
  let abandoned = false;
  let arrived = Promise.withResolvers<void>();
  let taken = Promise.withResolvers<void>();
  const turn = client.answer(async (frames) => {
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
  });
  const over = turn.then(() => true);
  over.catch(() => {/* awaited below, unless the listing is abandoned */});
  await client.send(request);
  await client.flush();
  try {
    for (let last = false; !last;) {
      last = await Promise.race([over, arrived.promise.then(() => false)]);
      arrived = Promise.withResolvers();
      for (const page of pages.splice(0)) yield* page;
      taken.resolve();
    }
  } finally {
    abandoned = true;
    taken.resolve();
  }
}

/** All of a tree, in the server's order, as {@link list} gives it. */
export async function listAll(
  client: Client,
  path: string,
  options?: ListOptions,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of list(client, path, options)) entries.push(entry);
  return entries;
}

/**
 * A server that lies about names could have files written outside the folder that was asked for: by
 * the name itself, or through a local link in the place of a folder that it does not list.
 *
 * @param folders those that were listed before; undefined: the listing has none of their entries
 */
function check({ name, type }: Entry, path: string, folders: Set<string> | undefined): void {
  const cut = name.lastIndexOf("/");
  const known = cut === -1 || folders?.has(name.slice(0, cut));
  if (known && localFault(name, false) === undefined) {
    if (type === "dir") folders?.add(name);
    return;
  }
  throw new BargeError("protocol", `the server lists the name ${JSON.stringify(name)}`, {
    op: "list",
    path,
  });
}
