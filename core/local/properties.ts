// deno-lint-ignore-file require-await -- SQLite answers at once; other storage does not
import type { PropertyStore } from "../storage/properties.ts";
import type { PartsWithCommits } from "./commit.ts";
import { viewOf } from "./view.ts";

/** Returns WebDAV's properties on one machine. */
export function localProperties(parts: PartsWithCommits): PropertyStore {
  const { commits, properties } = parts;
  return {
    of: async (place) => properties.of(place),
    anyIn: async (dir) => properties.anyIn(dir),
    change: (place, account, changes, guard) =>
      commits.enter(() => {
        guard.check(viewOf(parts));
        for (const change of changes) {
          if ("xml" in change) properties.set(place, account, change);
          else properties.remove(place, change);
        }
        properties.check(place, account);
      }),
    async copy(from, to, account) {
      if (properties.of(from).length + properties.of(to).length === 0) return;
      await commits.enter(() => {
        properties.copy(from, to, account);
        properties.check(to, account);
      });
    },
  };
}
