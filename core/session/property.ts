/**
 * Dead properties (RFC 4918, section 4): whoever may replace a file may set its properties; folders
 * are nobody's, and whoever may add to one may set its.
 */
import type { Property, PropertyName } from "../local/ledger/properties.ts";
import { BargeError } from "../error.ts";
import { type Place, relative } from "../storage/place.ts";
import { changeable, checkTake, checkTakeStill } from "../login/access.ts";
import type { Session } from "../login/session.ts";
import { look } from "../local/look.ts";

/** All of a file's or folder's, by name. */
export function propertiesOf(session: Session, path: string): Property[] {
  const { place } = session.locate(path);
  return place ? session.store.properties.of(place) : [];
}

/** Has anything that is directly in a folder any? */
export function anyPropertiesIn(session: Session, path: string): boolean {
  const { place } = session.locate(path);
  return place !== undefined && session.store.properties.anyIn(relative(place));
}

/** With `xml`: it is set; without: it is removed, if it is there. */
export type PropertyChange = Property | PropertyName;

/**
 * Sets and removes properties, in their order: all of them, or none.
 *
 * @param met throws unless it may be done now; runs under the write lock
 * @throws {BargeError} `not-found`, `denied`; `exists` for `/`, `/home` and `/public`; `over-quota`
 */
export async function changeProperties(
  session: Session,
  path: string,
  changes: readonly PropertyChange[],
  met: () => void,
): Promise<void> {
  const { store } = session;
  const location = session.locate(path);
  const place = changeable(location);
  const { found } = look(store, place);
  if (!found) throw new BargeError("not-found", "there is no such file or folder", { path });
  const guarded = found.type !== "dir";
  if (guarded) await checkTake(session, session.accountNow(), location);
  await store.commits.enter(() => {
    met();
    const account = session.accountNow();
    if (guarded) checkTakeStill(session, account, location);
    for (const change of changes) {
      if ("xml" in change) store.properties.set(place, account.id, change);
      else store.properties.remove(place, change);
    }
    store.properties.check(place, account.id);
  });
}

/** A copy gets the properties of the original. @throws {BargeError} `over-quota` */
export async function copyProperties(session: Session, from: Place, to: Place): Promise<void> {
  const { properties, commits } = session.store;
  if (properties.of(from).length + properties.of(to).length === 0) return;
  await commits.enter(() => {
    properties.copy(from, to, session.id);
    properties.check(to, session.id);
  });
}
