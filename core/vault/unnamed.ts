/**
 * Names on disk that are not valid UTF-8. Doors can't make them, only somebody with a login on this
 * machine can; and they can be neither shown nor opened here, since the runtime reads each byte that
 * fits no character as U+FFFD and has no other way to say it.
 *
 *   on disk     caf\xe9   caf\xe8   caf\xef\xbf\xbd       the last one is U+FFFD itself
 *   as read     caf�      caf�      caf�                 three times the same: one of them can be opened
 */
import type { Place } from "./place.ts";
import { relative } from "./place.ts";
import type { Listed, Vault } from "./vault.ts";

const replacement = "\uFFFD";

/** May a name have been read from bytes that are not valid UTF-8? */
export function isSuspect(name: string): boolean {
  return name.includes(replacement);
}

/**
 * Tells those entries of a folder apart that only look as if they had a name.
 *
 * @param typeOf looks at what a name opens; undefined for nothing
 */
export function withoutNames(
  entries: readonly Listed[],
  typeOf: (name: string) => Listed["type"] | undefined,
): Listed[] {
  const opened = new Set<string>();
  return entries.map(({ name, type }) => {
    if (!isSuspect(name)) return { name, type };
    const own = opened.has(name) ? undefined : typeOf(name);
    opened.add(name);
    return { name, type: own ?? "unnamed" };
  });
}

/**
 * What lies in or below a folder without a name that can be read; symbolic links are not followed.
 *
 * @returns paths relative to the folder, as they are read: to be shown, not to be opened
 * @throws {BargeError} `denied`, `io`; `not-found` for the folder itself
 */
export async function* unnamedIn(
  vault: Vault,
  place: Place,
  prefix = "",
): AsyncGenerator<string, void, void> {
  for (const { name, type } of await vault.entries(place)) {
    if (type === "unnamed") yield prefix + name;
    if (type !== "dir") continue;
    const below = { dir: relative(place), name };
    if (vault.find(below)?.type !== "dir") continue; // gone meanwhile
    yield* unnamedIn(vault, below, `${prefix}${name}/`);
  }
}
