/**
 * Compares the sums of accounts with their files and uploads.
 *
 * A cursor reads accounts and all their rows as they are at one moment, in pages, without locks. Triggers add
 * to the sums and subtract from them, so an error in a sum stays the same while rows change. The repair
 * subtracts that error from the sum as it is at that time.
 */
import type { Statements } from "../database/postgres.ts";
import type { VerifyRun } from "./run.ts";

const pageAccounts = 256;
const pageRows = 10_000;

/** The recorded sums of an account, and by how much they are too large. */
interface Difference {
  readonly id: number;
  readonly name: string;
  readonly recorded: Sums;
  readonly excess: Sums;
}

interface Sums {
  readonly used: number;
  readonly reserved: number;
  readonly entries: number;
}

/** Checks the sums of all accounts. */
export async function verifySums(run: VerifyRun): Promise<void> {
  const { parts: { db }, options: { repair, signal } } = run;
  for (let last = -1;;) {
    signal?.throwIfAborted();
    const ids = await db.all<{ id: number }>(
      `SELECT id FROM account WHERE id > $1::bigint ORDER BY id LIMIT ${pageAccounts}`,
      last,
    );
    if (ids.length === 0) return;
    const end = ids.at(-1)!.id;
    const wrong = await db.transaction((tx) => differences(tx, last, end, signal));
    for (const difference of wrong) {
      if (!repair) report(run, difference, false);
      else await correct(run, difference);
    }
    last = end;
  }
}

function report(run: VerifyRun, { name, recorded, excess }: Difference, repaired: boolean): void {
  const { used, reserved, entries } = subtract(recorded, excess);
  const what =
    `its sums are wrong: used should be ${used}, reserved ${reserved}, entries ${entries}`;
  run.report(name, { kind: "sums", what, repaired });
}

/** Corrects the sums of an account, unless another run does so. */
async function correct(run: VerifyRun, found: Difference): Promise<void> {
  const { parts: { db }, options: { signal } } = run;
  const { id } = found;
  const outcome = await db.transaction(async (tx) => {
    const [{ free }] = await tx.all<{ free: boolean }>(
      "SELECT pg_try_advisory_xact_lock(hashtextextended('sums ' || $1::bigint, 0)) AS free",
      id,
    );
    if (!free) return "busy";
    const [now] = await differences(tx, id - 1, id, signal);
    if (!now) return undefined;
    await tx.all(
      `UPDATE account SET used = used - $2::bigint, reserved = reserved - $3::bigint,
         entries = entries - $4::bigint WHERE id = $1`,
      id,
      now.excess.used,
      now.excess.reserved,
      now.excess.entries,
    );
    return now;
  });
  if (outcome === "busy") report(run, found, false);
  else if (outcome) report(run, outcome, true);
}

/** Returns the accounts whose sums are wrong, of those with ids in (after, end]. */
async function differences(
  tx: Statements,
  after: number,
  end: number,
  signal?: AbortSignal,
): Promise<Difference[]> {
  await tx.all(
    `DECLARE sums NO SCROLL CURSOR FOR
       SELECT id, name, used, reserved, entries FROM account WHERE id > $1::bigint AND id <= $2::bigint
       UNION ALL SELECT owner, NULL, size, 0, 1 FROM node WHERE owner > $1::bigint AND owner <= $2::bigint
       UNION ALL SELECT account, NULL, 0, greatest(0, want - credit), entry FROM upload
         WHERE account > $1::bigint AND account <= $2::bigint`,
    after,
    end,
  );
  const accounts = new Map<number, Sums & { readonly name: string }>();
  const actual = new Map<number, Sums>();
  for (;;) {
    signal?.throwIfAborted();
    const rows = await tx.all<Sums & { id: number; name: string | null }>(
      `FETCH FORWARD ${pageRows} FROM sums`,
    );
    for (const { id, name, used, reserved, entries } of rows) {
      if (name !== null) accounts.set(id, { name, used, reserved, entries });
      else {
        const sum = actual.get(id) ?? none;
        actual.set(id, subtract(sum, { used: -used, reserved: -reserved, entries: -entries }));
      }
    }
    if (rows.length < pageRows) break;
  }
  await tx.all("CLOSE sums");
  return [...accounts].flatMap(([id, { name, ...recorded }]) => {
    const excess = subtract(recorded, actual.get(id) ?? none);
    const right = excess.used === 0 && excess.reserved === 0 && excess.entries === 0;
    return right ? [] : [{ id, name, recorded, excess }];
  });
}

const none: Sums = { used: 0, reserved: 0, entries: 0 };

function subtract(from: Sums, less: Sums): Sums {
  return {
    used: from.used - less.used,
    reserved: from.reserved - less.reserved,
    entries: from.entries - less.entries,
  };
}
