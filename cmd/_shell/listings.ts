/** Lists local and remote folders for completion. Remote listings are cached for some seconds. */
import { list } from "../../core/client/list.ts";
import { trimSlashes } from "../../core/client/path.ts";
import type { Item, Sources } from "./complete.ts";
import type { Shell } from "./command.ts";

const cacheMs = 5000;
const listTimeoutMs = 3000;
/** The most names of one folder. */
const maxNames = 5000;

export class Listings implements Sources {
  readonly #shell: Shell;
  readonly #cache = new Map<string, { readonly until: number; readonly items: readonly Item[] }>();

  constructor(shell: Shell) {
    this.#shell = shell;
  }

  get folder(): string {
    return this.#shell.folder;
  }

  async remote(folder: string): Promise<readonly Item[]> {
    const path = trimSlashes(folder);
    const cached = this.#cache.get(path);
    if (cached && cached.until > performance.now()) return cached.items;
    const items = await this.#fetch(path).catch(() => []); // completion reports no failures
    this.#cache.set(path, { until: performance.now() + cacheMs, items });
    return items;
  }

  async local(folder: string): Promise<readonly Item[]> {
    const items: Item[] = [];
    try {
      for await (const { name, isDirectory, isSymlink } of Deno.readDir(folder)) {
        items.push({ name, folder: isDirectory || (isSymlink && leadsToFolder(folder, name)) });
        if (items.length >= maxNames) break;
      }
    } catch { /* the names until then are offered */ }
    return items.sort((a, b) => a.name < b.name ? -1 : 1);
  }

  /** Empties the cache, after a command that may have changed folders. */
  clear(): void {
    this.#cache.clear();
  }

  async #fetch(path: string): Promise<Item[]> {
    // The timer must be cleared: an abort would cut the shell's connection even after the listing.
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), listTimeoutMs);
    try {
      const client = await this.#shell.link.client(late.signal);
      const items: Item[] = [];
      for await (const { name, type } of list(client, path)) {
        items.push({ name, folder: type === "dir" });
        if (items.length >= maxNames) break;
      }
      return items;
    } finally {
      clearTimeout(timer);
    }
  }
}

function leadsToFolder(folder: string, name: string): boolean {
  try {
    return Deno.statSync(`${folder}/${name}`).isDirectory;
  } catch {
    return false;
  }
}
