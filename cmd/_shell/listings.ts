/** Where the completion finds names: folders here and at the server, the latter for some seconds. */
import { list } from "../../core/client/list.ts";
import { trimSlashes } from "../../core/client/path.ts";
import type { Found, Sources } from "./complete.ts";
import type { Shell } from "./row.ts";

/** Milliseconds that a listing is good for. */
const keptFor = 5000;
/** Milliseconds that somebody waits for a Tab. */
const patience = 3000;
/** Names of one folder; more would not help anyone who chooses. */
const most = 5000;

export class Listings implements Sources {
  readonly #shell: Shell;
  readonly #kept = new Map<string, { readonly until: number; readonly found: readonly Found[] }>();

  constructor(shell: Shell) {
    this.#shell = shell;
  }

  get folder(): string {
    return this.#shell.folder;
  }

  async remote(folder: string): Promise<readonly Found[]> {
    const path = trimSlashes(folder);
    const kept = this.#kept.get(path);
    if (kept && kept.until > performance.now()) return kept.found;
    const found = await this.#fetch(path).catch(() => []); // a Tab is no place for a message
    this.#kept.set(path, { until: performance.now() + keptFor, found });
    return found;
  }

  async local(folder: string): Promise<readonly Found[]> {
    const found: Found[] = [];
    try {
      for await (const { name, isDirectory, isSymlink } of Deno.readDir(folder)) {
        found.push({ name, folder: isDirectory || (isSymlink && leadsToFolder(folder, name)) });
        if (found.length >= most) break;
      }
    } catch { /* what was found until then is offered */ }
    return found.sort((a, b) => a.name < b.name ? -1 : 1);
  }

  /** Forgets what was listed: a command may have changed it. */
  clear(): void {
    this.#kept.clear();
  }

  async #fetch(path: string): Promise<Found[]> {
    // Cuts the connection, so it must not fire when the listing is over.
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), patience);
    try {
      const client = await this.#shell.link.client(late.signal);
      const found: Found[] = [];
      for await (const { name, type } of list(client, path)) {
        found.push({ name, folder: type === "dir" });
        if (found.length >= most) break;
      }
      return found;
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
