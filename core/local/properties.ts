// deno-lint-ignore-file require-await -- SQLite answers at once; other storage does not
/** WebDAV's properties on one machine: see core/storage/properties.ts. */
import type { Place } from "../storage/place.ts";
import type { Property, PropertyChange, PropertyStore } from "../storage/properties.ts";
import type { Guard } from "../storage/view.ts";
import type { Commits } from "./commit.ts";
import type { Parts } from "./parts.ts";
import { LocalView } from "./view.ts";

export class LocalProperties implements PropertyStore {
  readonly #parts: Parts;
  readonly #commits: Commits;

  constructor(parts: Parts, commits: Commits) {
    this.#parts = parts;
    this.#commits = commits;
  }

  async of(place: Place): Promise<readonly Property[]> {
    return this.#parts.properties.of(place);
  }

  async anyIn(dir: string): Promise<boolean> {
    return this.#parts.properties.anyIn(dir);
  }

  async change(
    place: Place,
    account: number,
    changes: readonly PropertyChange[],
    guard: Guard,
  ): Promise<void> {
    const { properties } = this.#parts;
    await this.#commits.enter(() => {
      guard.check(new LocalView(this.#parts));
      for (const change of changes) {
        if ("xml" in change) properties.set(place, account, change);
        else properties.remove(place, change);
      }
      properties.check(place, account);
    });
  }

  async copy(from: Place, to: Place, account: number): Promise<void> {
    const { properties } = this.#parts;
    if (properties.of(from).length + properties.of(to).length === 0) return;
    await this.#commits.enter(() => {
      properties.copy(from, to, account);
      properties.check(to, account);
    });
  }
}
