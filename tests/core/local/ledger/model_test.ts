/**
 * A state machine with random steps: uploads, one by one and in batches, settlements, takeovers, folders,
 * renames, removals and limits, over a few accounts and paths. After every step the sums of bytes and
 * entries agree with the rows, and no limit is passed; a sum beyond a lowered limit does not rise. A batch
 * makes the same rows as its uploads one by one.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Accounts } from "../../../../core/local/account/accounts.ts";
import { Database } from "../../../../core/local/database/database.ts";
import { Folders } from "../../../../core/local/ledger/folders.ts";
import { Ledger } from "../../../../core/local/ledger/ledger.ts";
import { type Beginning, Reservations } from "../../../../core/local/ledger/reservation.ts";
import type { UploadRow } from "../../../../core/local/ledger/upload_rows.ts";
import { UploadsAt } from "../../../../core/local/ledger/uploads_at.ts";
import { BargeError } from "../../../../core/error.ts";
import type { Place } from "../../../../core/storage/place.ts";
import { verifier } from "../../_setup.ts";

const names = ["anna", "bob"];
const places: Place[] = [
  { dir: "public", name: "x" },
  { dir: "public/d", name: "x" },
  { dir: "public/d/e", name: "x" },
  { dir: "homes/anna", name: "x" },
];
const folders: Place[] = [
  { dir: "public", name: "d" },
  { dir: "public", name: "f" },
  { dir: "public/d", name: "e" },
];

const who = fc.nat(names.length - 1);
const where = fc.nat(places.length - 1);
const upload = fc.nat(9); // of those that there are
const size = fc.nat(180);
const arriving = fc.record({ who, where, size: fc.nat(60), sealed: fc.boolean() });
/** The holder that makes the step: the first one, or one that took the upload over. */
const holder = fc.constantFrom("h", "h", "t");
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant("begin" as const), who, where, size }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("unsized" as const), who, where }) },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant("batch" as const),
      files: fc.array(arriving, { minLength: 1, maxLength: 5 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant("settleBatch" as const),
      uploads: fc.array(upload, { minLength: 1, maxLength: 5 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("grow" as const), upload, size, holder }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("seal" as const), upload, size, holder }) },
  { weight: 6, arbitrary: fc.record({ op: fc.constant("finish" as const), upload, size, holder }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("detach" as const), upload, size, holder }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constant("resume" as const), upload, size, holder }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("restart" as const), upload, size }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("drop" as const), upload, holder }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("dropIdle" as const), who, where }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("dropAt" as const), who, where }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("forget" as const), where }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("forgetFolder" as const), to: fc.nat(2) }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constant("rename" as const), where, to: where }) },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("renameFolder" as const),
      from: fc.nat(2),
      to: fc.nat(2),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("limit" as const),
      who,
      limit: fc.option(fc.nat(300), { nil: null, freq: 6 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("entryLimit" as const),
      who,
      limit: fc.option(fc.nat(6), { nil: null, freq: 6 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ op: fc.constant("mkdir" as const), who, to: fc.nat(2) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Machine {
  readonly accounts: Accounts;
  readonly ledger: Ledger;
  readonly folders: Folders;
  readonly reservations: Reservations;
  readonly uploadsAt: UploadsAt;
  readonly ids: number[];
  /** The bounds of sums whose limits were lowered below them. */
  readonly most = { bytes: new Map<number, number>(), entries: new Map<number, number>() };

  constructor(readonly db: Database) {
    this.accounts = new Accounts(db);
    this.ledger = new Ledger(db);
    this.folders = new Folders(db);
    this.reservations = new Reservations(db, this.ledger);
    this.uploadsAt = new UploadsAt(db);
    this.ids = names.map((name) =>
      this.accounts.add({ name, role: "user", limit: 200, entryLimit: 4, verifier }).id
    );
  }

  /** Makes one step, which may fail as over quota or taken over. */
  do(step: Step): void {
    try {
      this.db.transaction(() => this.#do(step));
    } catch (error) {
      const kinds = ["over-quota", "unavailable"];
      if (!(error instanceof BargeError && kinds.includes(error.kind))) throw error;
    }
  }

  #do(step: Step): void {
    const { reservations, ledger, uploadsAt } = this;
    if (step.op === "batch") this.#batch(step.files);
    else if (step.op === "settleBatch") this.#settleBatch(step.uploads);
    else if (step.op === "begin" || step.op === "unsized") {
      const size = step.op === "begin" ? step.size : null;
      const facts = { account: this.ids[step.who], size, modified: null, holder: "h" };
      reservations.begin([{ upload: { ...places[step.where], ...facts } }]);
    } else if (step.op === "dropIdle") {
      uploadsAt.dropIdle(this.ids[step.who], places[step.where]);
    } else if (step.op === "dropAt") uploadsAt.drop(this.ids[step.who], places[step.where]);
    else if (step.op === "forget") ledger.forget(places[step.where]);
    else if (step.op === "forgetFolder") {
      ledger.forget(folders[step.to]);
      uploadsAt.dropBelow(folders[step.to]);
      assert.deepEqual(uploadsAt.heldBelow(folders[step.to]), []);
    } else if (step.op === "rename") {
      if (step.where === step.to || !ledger.file(places[step.where])) return;
      uploadsAt.uncredit(places[step.where]);
      ledger.rename(places[step.where], places[step.to]);
    } else if (step.op === "renameFolder") {
      const [from, to] = [folders[step.from], folders[step.to]];
      const path = ({ dir, name }: Place) => `${dir}/${name}/`;
      if (path(to).startsWith(path(from)) || path(from).startsWith(path(to))) return;
      if (ledger.knowsAny(to)) return; // a folder replaces nothing
      ledger.rename(from, to);
      uploadsAt.dropStrangers(to, names[0]); // as if the folder were in her home
    } else if (step.op === "limit") {
      this.accounts.change(names[step.who], { limit: step.limit });
      this.most.bytes.delete(this.ids[step.who]);
    } else if (step.op === "entryLimit") {
      this.accounts.change(names[step.who], { entryLimit: step.limit });
      this.most.entries.delete(this.ids[step.who]);
    } else if (step.op === "mkdir") this.#mkdir(step.who, folders[step.to]);
    else this.#continue(step);
  }

  /** Makes a folder; the ledger does not read the disk. */
  #mkdir(who: number, place: Place): void {
    if (this.folders.find(place)) return;
    this.folders.make(place, this.ids[who]);
    assert.equal(this.folders.find(place)?.owner, this.ids[who]);
  }

  #continue(step: Extract<Step, { upload: number }>): void {
    const { reservations } = this;
    const rows = reservations.uploads();
    if (rows.length === 0) return;
    const row = rows[step.upload % rows.length];
    const staged = "size" in step ? Math.min(step.size, row.want) : 0;
    if (step.op === "grow") reservations.grow(row.id, step.holder, row.want + step.size);
    else if (step.op === "drop") {
      const dropped = reservations.drop(row.id, step.holder);
      assert.equal(dropped, row.holder === step.holder);
    } else if (step.op === "detach") {
      const kept = reservations.detach(row.id, step.holder, staged);
      if (row.holder !== step.holder) assert(kept, "the former holder let go of another's bytes");
    } else if (step.op === "restart") reservations.release(row.id, step.size);
    else if (step.op === "seal") this.#seal(row, step.holder, staged);
    else if (step.op === "finish") {
      this.#seal(row, step.holder, staged);
      this.reservations.settle([[row.id, this.#file(row, staged)]]);
    } else {
      const { account, dir, name } = row;
      const { size, holder } = step;
      const declared = { account, dir, name, size, modified: null, holder };
      const resumed = reservations.resume(row.id, declared);
      assert.equal(resumed?.holder, row.sha256 === null ? holder : undefined);
    }
  }

  #seal({ id }: UploadRow, holder: string, size: number): void {
    this.reservations.seal(id, holder, { size, sha256: "ab", verified: true });
  }

  #file({ id, dir, name, account: owner }: UploadRow, size: number) {
    return { dir, name, owner, size, sha256: "ab", modified: 0, ino: id, verified: true };
  }

  /** Stores small files: all together, or one by one if they do not fit. */
  #batch(files: readonly { who: number; where: number; size: number; sealed: boolean }[]): void {
    const { db, reservations } = this;
    const beginnings = files.map(({ who, where, size, sealed }): Beginning => ({
      upload: { ...places[where], account: this.ids[who], size, modified: null, holder: "h" },
      sealed: sealed ? { size, sha256: "ab", verified: true } : undefined,
    }));
    const rows = () =>
      reservations.uploads().map(({ id: _, touched: __, ...row }) => JSON.stringify(row));
    const alone = overQuotaOr(() =>
      db.transaction(() =>
        undone(db, () => {
          for (const one of beginnings) reservations.begin([one]);
          return rows();
        })
      )
    );
    const together = overQuotaOr(() =>
      db.transaction(() => {
        const held = reservations.begin(beginnings);
        assert.deepEqual(reservations.stillHeld(held), new Set(held));
        return rows();
      })
    );
    if (together) return assert.deepEqual(alone, together);
    for (const one of beginnings) overQuotaOr(() => reservations.begin([one]));
  }

  /** Settles as `Commits` does: two uploads to one name separately. */
  #settleBatch(uploads: readonly number[]): void {
    const rows = this.reservations.uploads().filter(({ sha256 }) => sha256 !== null);
    let batch = new Map<string, UploadRow>();
    const settle = () => {
      this.reservations.settle(
        [...batch.values()].map((row) => [row.id, this.#file(row, row.want)]),
      );
      batch = new Map();
    };
    for (const row of new Set(uploads.map((n) => rows[n % rows.length]))) {
      if (!row) continue;
      const name = `${row.dir}/${row.name}`;
      if (batch.has(name)) settle();
      batch.set(name, row);
    }
    settle();
  }

  check(): void {
    assert.deepEqual(this.ledger.wrongSums(), []);
    for (const { id, used, reserved, limit, entries, entryLimit } of this.accounts.list()) {
      assert(used >= 0 && reserved >= 0 && entries >= 0, `${used} ${reserved} ${entries}`);
      checkLimit(this.most.bytes, id, used + reserved, limit);
      checkLimit(this.most.entries, id, entries, entryLimit);
    }
    const shared = this.db.all(
      "SELECT dir, name FROM upload WHERE entry = 0 GROUP BY dir, name HAVING count(*) > 1",
    );
    assert.deepEqual(shared, [], "two uploads with credit for one file");
    const unbacked = this.db.all(
      `SELECT upload.id FROM upload LEFT JOIN file USING (folder, name)
       WHERE entry = 0 AND (file.owner IS NOT upload.account OR credit > file.size)
         OR entry = 1 AND credit > 0`,
    );
    assert.deepEqual(unbacked, [], "credit for nothing");
  }
}

/** Checks that a sum beyond a lowered limit only falls. @param most the highest sums, by account */
function checkLimit(
  most: Map<number, number>,
  id: number,
  sum: number,
  limit: number | null,
): void {
  if (limit === null) return;
  const known = most.get(id);
  if (known !== undefined) assert(sum <= Math.max(limit, known), `${sum} > ${limit}, ${known}`);
  most.set(id, Math.max(limit, sum));
}

/** Returns the result; undefined if the quota has no room. */
function overQuotaOr<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof BargeError && error.kind === "over-quota") return undefined;
    throw error;
  }
}

/** Returns the result, and rolls back. */
function undone<T>(db: Database, work: () => T): T {
  let result: { value: T } | undefined;
  const undo = new Error("undo");
  try {
    db.transaction(() => {
      result = { value: work() };
      throw undo;
    });
  } catch (error) {
    if (error !== undo) throw error;
  }
  return result!.value;
}

Deno.test("sums hold and no limit is passed after any sequence of steps", () => {
  const data = Deno.makeTempDirSync({ prefix: "barge-model-" });
  const undo = new Error("undo");
  try {
    using db = new Database(data, { create: true, durability: "relaxed" });
    const run = (steps: Step[]) => {
      const machine = new Machine(db);
      machine.check();
      for (const step of steps) {
        machine.do(step);
        machine.check();
      }
      throw undo; // the next run begins with an empty database
    };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
        try {
          db.transaction(() => run(steps));
        } catch (error) {
          if (error !== undo) throw error;
        }
      }),
      { numRuns: 500 },
    );
  } finally {
    Deno.removeSync(data, { recursive: true });
  }
});
