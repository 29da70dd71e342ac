/**
 * Changes of the tree, one after another in each space.
 *
 * A space is a home, or /public. A change locks the rows of its spaces, in the order of their ids, then the
 * rows of its accounts. So nothing that its guard has read can change before it is committed, on any
 * node, and changes do not deadlock. Changes of the same rows that wait in one process share transactions
 * (change_queue.ts).
 */
import { BargeError } from "../../error.ts";
import { type Need, overQuota } from "../../storage/over_quota.ts";
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

/**
 * Checks that a change has not raised the sums of an account beyond their limits.
 *
 * @param own the reservation, before the change, of the upload that the change is about
 * @throws {BargeError} `over-quota`; `denied` for an account that is gone
 */
export async function checkSums(
  { tx, accounts }: Change,
  account: number,
  own: Pick<Need, "credit" | "reserved"> = {},
): Promise<void> {
  const before = accounts.get(account);
  const now = (await lockAccounts(tx, [account])).get(account);
  if (!before || !now) throw new BargeError("denied", "the account is gone");
  const refusal = overQuota(before, {
    bytes: (own.reserved ?? 0) + now.used + now.reserved - before.used - before.reserved,
    entries: now.entries - before.entries,
    ...own,
  });
  if (refusal) throw refusal;
}
