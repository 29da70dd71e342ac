/**
 * Names on disk that are not valid UTF-8. Only users of this machine can make them. They can be neither
 * shown nor opened, since the runtime reads each invalid byte as U+FFFD.
 *
 *   on disk     caf\xe9   caf\xe8   caf\xef\xbf\xbd       the last one has U+FFFD itself
 *   as read     caf�      caf�      caf�                 the same three times: one of them can be opened
 */
import type { StoredEntry } from "../../storage/entry.ts";

/** An entry of a folder. `unnamed`: its name is not valid UTF-8. */
export interface Listed {
  readonly name: string;
  readonly type: StoredEntry["type"] | "unnamed";
}

const replacement = "\uFFFD";

/** Returns whether a name may have been read from bytes that are not valid UTF-8. */
export function isSuspect(name: string): boolean {
  return name.includes(replacement);
}

/**
 * Finds the entries of a folder whose names were not valid UTF-8.
 *
 * @param typeOf returns the type of the entry that a name opens; undefined: none
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
