/**
 * Dead properties (RFC 4918, section 4). An account that may replace a file, or add to a folder, may set
 * its properties.
 */
import { BargeError } from "../error.ts";
import { changeable, checkChange, needChange, recheckChange } from "../login/access.ts";
import type { Session } from "../login/session.ts";
import { relative } from "../storage/place.ts";
import type { Property, PropertyChange } from "../storage/properties.ts";
import type { Condition, View } from "../storage/view.ts";

/** Returns the properties of a file or folder, by name. */
export async function propertiesOf(session: Session, path: string): Promise<readonly Property[]> {
  if (session.wayIn(path) !== undefined) return [];
  const { place } = session.locate(path);
  return place ? await session.store.attached.properties.of(place) : [];
}

/** Returns whether an entry directly in a folder has properties. */
export async function anyPropertiesIn(session: Session, path: string): Promise<boolean> {
  if (session.wayIn(path) !== undefined) return false;
  const { place } = session.locate(path);
  return place !== undefined && await session.store.attached.properties.anyIn(relative(place));
}

/**
 * Sets and removes properties, in their order: all of them, or none.
 *
 * @param condition throws unless the change may be made now
 * @throws {BargeError} `not-found`, `denied`; `exists` for `/`, `/home` and `/public`; `over-quota`
 */
export async function changeProperties(
  session: Session,
  path: string,
  changes: readonly PropertyChange[],
  condition: Condition,
): Promise<void> {
  needChange(session);
  const { attached, tree } = session.store;
  const location = session.locate(path);
  const place = changeable(location);
  const entry = await tree.entry(place);
  if (!entry) throw new BargeError("not-found", "there is no such file or folder", { path });
  const guarded = entry.type !== "dir";
  if (guarded) await checkChange(session, await session.account(), location);
  const check = (view: View): void => {
    condition(view);
    session.accountIn(view);
    if (guarded) recheckChange(view, session, location);
  };
  await attached.properties.change(place, session.id, changes, { places: [place], check });
}
