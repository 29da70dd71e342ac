/** When what is at a path was made. */
import type { Session } from "../login/session.ts";

/**
 * @returns milliseconds since 1970: of a file, when the upload of its bytes began; undefined where
 *   the file system does not say, or nothing is there
 */
export function created(session: Session, path: string): number | undefined {
  const { place } = session.locate(path);
  return place && session.store.vault.created(place);
}
