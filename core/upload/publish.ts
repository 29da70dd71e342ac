/** The last step of an upload that is sealed: from staged bytes to a file, under the write lock. */
import type { NewFile } from "../local/ledger/ledger.ts";
import type { Held } from "../local/ledger/reservation.ts";
import type { Location } from "../storage/path.ts";
import { checkWrite } from "../login/access.ts";
import { lost } from "./lost.ts";
import { tellCommitted } from "./check.ts";
import type { PutRequest } from "./put.ts";
import type { Session } from "../login/session.ts";

/** The file that a committed upload has become. */
export interface Committed {
  readonly size: number;
  readonly sha256: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly replaced: boolean;
}

/** Of an upload whose bytes have all arrived. */
export interface Arrived {
  readonly session: Session;
  readonly request: PutRequest;
  readonly location: Location;
  readonly row: Held;
}

/** The staged bytes, verified and synced. */
export type Facts = Pick<NewFile, "size" | "sha256" | "modified" | "ino" | "verified">;

/**
 * Renames a sealed upload into place.
 *
 * @throws {BargeError} as `put`, because of changes since
 */
export async function publish(
  arrived: Arrived,
  facts: Facts,
): Promise<Committed> {
  const { session, request, location, row } = arrived;
  const { store } = session;
  const { dir, name } = location.place!;
  const file: NewFile = { dir, name, owner: row.account, ...facts };
  const replaced = await store.commits.publish(row, file, (moment, seen) => {
    if (!moment.holds(row)) throw lost(session, row, location);
    return checkWrite(session, moment.account(session), location, request.overwrite, seen);
  });
  tellCommitted(arrived, facts, replaced);
  const { size, sha256, modified } = facts;
  return { size, sha256, modified, replaced };
}
