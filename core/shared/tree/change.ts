/**
 * Changes of the tree, one after another in each space.
 *
 * A space is a home, or /public. A change locks the rows of its spaces, in the order of their ids, then the
 * rows of its accounts. So nothing that its guard has read can change before it is committed, on any
 * node, and changes do not deadlock. Changes of the same rows that wait in one process share transactions
 * (change_queue.ts).
 */
import { count } from "../../count.ts";
import { BargeError } from "../../error.ts";
import type { Place } from "../../storage/place.ts";
import { lockAccounts, type Sums } from "./account_rows.ts";
import { encodeName } from "../database/name.ts";
import type { Postgres, Statements } from "../database/postgres.ts";
import { changeQueueOf } from "./change_queue.ts";
import { SharedView } from "./view.ts";

/** A transaction that has locked what it changes. */
export interface Change {
  readonly tx: Statements;
  readonly view: SharedView;
  /** The sums of the accounts before the change. */
  readonly accounts: ReadonlyMap<number, Sums>;
}

/**
 * Runs a change.
 *
 * @param places the places that it changes
 * @param accounts the ids of the accounts that may be charged
 * @throws what the work throws, with nothing changed; {BargeError} as Postgres.transaction
 */
export async function change<T>(
  db: Postgres,
  places: readonly Place[],
  accounts: Iterable<number>,
  work: (change: Change) => Promise<T>,
): Promise<T> {
  const spaces = JSON.stringify(
    [...new Set(places.map(spaceOf))].sort().map((space) => space.split("/")),
  );
  const ids = [...new Set(accounts)].sort((a, b) => a - b);
  return await changeQueueOf(db).run(
    `${spaces} ${ids}`,
    (tx) => lockSpaces(tx, spaces),
    async (tx) => {
      const sums = await lockAccounts(tx, ids);
      return await work({ tx, view: new SharedView(tx), accounts: sums });
    },
  );
}

/** @param spaces a list of ids of parents, with names in hex, in JSON */
async function lockSpaces(tx: Statements, spaces: string): Promise<void> {
  await tx.all(
    `SELECT node.id FROM node JOIN jsonb_array_elements($1::text::jsonb) AS space
       ON node.parent = (space->>0)::bigint AND node.name = decode(space->>1, 'hex')
     ORDER BY node.id FOR NO KEY UPDATE OF node`,
    spaces,
  );
}

/** Returns the space of a place: the id of its parent, and its name in hex. */
function spaceOf({ dir, name }: Place): string {
  const [first, second] = dir ? [...dir.split("/"), name] : [name];
  return first === "homes" && second !== undefined
    ? `1/${encodeName(second)}`
    : `0/${encodeName(first)}`;
}

/** The reservation of an upload before a change, so that it does not count as held by others. */
export interface OwnUpload {
  /** Reserved bytes. */
  readonly reserved: number;
  /** The bytes of the replaced file, for an upload of unknown size that grows. */
  readonly credit?: number;
}

/**
 * Checks that a change has not raised the sums of an account beyond their limits.
 *
 * @param own the upload that the change is about, if it has a reservation
 * @throws {BargeError} `over-quota`; `denied` for an account that is gone
 */
export async function checkSums(
  { tx, accounts }: Change,
  account: number,
  own?: OwnUpload,
): Promise<void> {
  const before = accounts.get(account);
  const now = (await lockAccounts(tx, [account])).get(account);
  if (!before || !now) throw new BargeError("denied", "the account is gone");
  const refusal = beyond(before, {
    bytes: now.used + now.reserved - before.used - before.reserved,
    entries: now.entries - before.entries,
  }, own);
  if (refusal) throw refusal;
}

/** Returns the error for raising an account's sums beyond their limits; undefined where the change fits. */
export function beyond(
  { name, used, reserved, quota, entries, entryLimit }: Sums,
  more: { readonly bytes: number; readonly entries: number },
  own: OwnUpload = { reserved: 0 },
): BargeError | undefined {
  if (more.bytes > 0 && quota !== null && used + reserved + more.bytes > quota) {
    const others = Math.max(0, reserved - own.reserved);
    const left = Math.max(0, quota - used - others);
    const held = others > 0 ? `; ${others} are held by other uploads` : "";
    const why = own.credit === undefined
      ? `needs ${count(more.bytes + own.reserved, "byte")}, ${left} are left`
      : `the upload is larger than the ${left + own.credit} bytes that are left`;
    return new BargeError("over-quota", why + held, {
      account: name,
      hint: "remove something, or ask for more room",
    });
  }
  if (more.entries > 0 && entryLimit !== null && entries + more.entries > entryLimit) {
    const why =
      `needs ${
        count(more.entries, "more entry", "more entries")
      }, ${entries} of ${entryLimit} are taken ` +
      `(files, folders and partial uploads)`;
    return new BargeError("over-quota", why, {
      account: name,
      hint: "remove something, or ask for more entries",
    });
  }
  return undefined;
}
