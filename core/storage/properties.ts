/**
 * Dead properties: data that WebDAV's clients attach to files and folders (RFC 4918, section 4). They
 * follow their file or folder, and end with it.
 */
import type { Place } from "./place.ts";
import type { Guard } from "./view.ts";

/** A property's name in XML. */
export interface PropertyName {
  /** The namespace; "" for none. */
  readonly space: string;
  readonly local: string;
}

export interface Property extends PropertyName {
  /** The whole element, with the namespaces that it needs. */
  readonly xml: string;
}

/** A change of a property. With `xml`, the property is set; without, it is removed, if it exists. */
export type PropertyChange = Property | PropertyName;

export interface PropertyStore {
  /** Returns the properties of a file or folder, by name. */
  of(place: Place): Promise<readonly Property[]>;
  /** Returns whether an entry directly in a folder has any. */
  anyIn(dir: string): Promise<boolean>;
  /**
   * Sets and removes properties, in their order: all of them, or none.
   *
   * @param account the id of the account that they count for
   * @throws {BargeError} as the guard; `over-quota`
   */
  change(
    place: Place,
    account: number,
    changes: readonly PropertyChange[],
    guard: Guard,
  ): Promise<void>;
  /** Gives a copy the properties of the original. @throws {BargeError} `over-quota` */
  copy(from: Place, to: Place, account: number): Promise<void>;
}
