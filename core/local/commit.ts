/**
 * The step from staged bytes to a file, for all uploads of an isolate; and renames and removals.
 *
 *   staged and synced -> [enter] sealed in the ledger -> [publish] renamed, folder synced, settled
 *
 * [enter] and [publish] are group commits. The rename happens inside the second transaction, so that the
 * write lock makes it one step for every other isolate. After a crash between rename and commit, the next
 * start finds an intent, or a sealed upload whose staged bytes are gone or are the file itself
 * (recover.ts). When a commit fails (the disk is full), its steps on disk are *owed*: they are done, but their
 * ledger rows are missing. The next commit, within a second, writes these rows.
 */
import { getLogger } from "@logtape/logtape";
import { BargeError, trace } from "../error.ts";
import type { NewFile } from "./ledger/ledger.ts";
import type { HeldUpload } from "./ledger/upload_rows.ts";
import { commitEvent } from "../storage/event_facts.ts";
import type { NewEvent } from "../storage/events.ts";
import type { AuditEntry } from "../storage/audit/audit.ts";
import { fileWritten } from "../storage/audit/entries.ts";
import { logAudit } from "../storage/audit/log.ts";
import { reached } from "../storage/fault.ts";
import { takenOver } from "./vault/fences.ts";
import { type Place, relative } from "../storage/place.ts";
import type { StoredFile, WriteGuard } from "../storage/uploads.ts";
import { stagedPlace } from "./vault/staging.ts";
import { forgetGone, known } from "./entry.ts";
import { Group, type Outcome, outcome, type Together } from "./group.ts";
import type { Parts } from "./parts.ts";
import { viewOf } from "./view.ts";

const log = getLogger(["barge", "storage"]);

/** The parts of storage, and the commits that change them. */
export interface PartsWithCommits extends Parts {
  readonly commits: Commits;
}

/** A change of the disk and the ledger in one step. */
export interface Change {
  /** The places whose names it changes. */
  readonly places: readonly Place[];
  /** Throws unless the change may be made. */
  readonly check: () => void;
  readonly disk: () => void;
  readonly ledger: () => void;
}

/** A sealed upload that will become a file. */
interface Publication {
  readonly upload: HeldUpload;
  readonly file: NewFile;
  readonly guard: WriteGuard;
}

/** A step whose rows could not be written. `redo` writes them to the ledger. */
interface Step {
  readonly upload?: number;
  readonly places: readonly Place[];
  readonly redo: () => void;
}

/** The time until the next attempt after a failed commit, in ms. */
const retryMs = 1000;
/** The fewest files for which their folder is read, in place of a look at each name that fails. */
const minListedFiles = 16;
/** The longest wait for the write lock by notes of uploads under way, in ms. */
const noteLockTimeoutMs = 30_000;

export class Commits implements Disposable {
  readonly #parts: Parts;
  readonly #enter: Group;
  readonly #publish: Group;
  readonly #notes: Group;
  /** Folders whose names the current transaction has changed. */
  readonly #dirty = new Set<string>();
  /** Steps that the current transaction has done on disk. */
  #done: Step[] = [];
  /** Steps that are not in the ledger yet. */
  #owed: Step[] = [];
  /** Owed steps whose ledger rows the current transaction has written. */
  #repaid = new Set<Step>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Owed steps whose failure is in the log. */
  readonly #faulty = new WeakSet<Step>();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#enter = new Group(parts.db);
    this.#notes = new Group(parts.db, { unsynced: true, lockTimeoutMs: noteLockTimeoutMs });
    this.#publish = new Group(parts.db, {
      begin: () => this.#repay(),
      beforeCommit: () => {
        this.#sync();
        reached("settled");
      },
      afterCommit: () => {
        reached("committed");
        this.#owed = this.#owed.filter((step) => !this.#repaid.has(step));
        this.#done = [];
        this.#retryLater();
      },
      failed: () => {
        this.#owed.push(...this.#done);
        this.#done = [];
        this.#retryLater();
      },
    });
  }

  /** Cancels the next attempt: the next start settles the owed steps. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  /** Returns whether an upload's file is in place, but not in the ledger. Until it is, the row must stay. */
  owes(upload: number): boolean {
    return this.#owed.some((step) => step.upload === upload);
  }

  /** Runs work on the ledger in a durable transaction. */
  enter<T>(work: () => T): Promise<T> {
    return this.#enter.submit(work);
  }

  /**
   * Runs work on the ledger that a power cut may undo, such as reservations. It does not block the event
   * loop while another program has the write lock.
   */
  note<T>(work: () => T): Promise<T> {
    return this.#notes.submit(work);
  }

  /**
   * Runs work on the ledger as {@link note} does. If that fails, as on a full disk, it is repeated every second. A
   * failure that no repetition can mend is logged: the next start settles the row.
   *
   * @param work may run several times
   */
  async noteSurely(work: () => void): Promise<void> {
    try {
      await this.note(work);
    } catch (error) {
      if (!isMendable(error)) return logFault(error);
      this.#owed.push({ places: [], redo: work });
      this.#retryLater();
    }
  }

  /** Runs work on several inputs at once in a durable transaction: see {@link Group.join}. */
  enterWith<I, T>(together: Together<I, T>, input: I): Promise<T> {
    return this.#enter.join(together, input);
  }

  /**
   * Renames a sealed upload's staged bytes into place and settles it.
   *
   * @throws what the guard throws; {BargeError} `unavailable` when the holder has lost the upload,
   *   and as the disk and the database do
   */
  async publish(upload: HeldUpload, file: NewFile, guard: WriteGuard): Promise<StoredFile> {
    const stored = await this.#publish.join(this.#publishAll, { upload, file, guard });
    if (guard.record) logAudit(fileWritten(guard.record, stored));
    return stored;
  }

  readonly #publishAll = (files: readonly Publication[]): Outcome<StoredFile>[] => {
    const { audit, outbox, reservations, vault } = this.#parts;
    const held = reservations.stillHeld(files.map(({ upload }) => upload));
    const view = viewOf(this.#parts);
    for (const [dir, { length }] of Map.groupBy(files, ({ file }) => file.dir)) {
      if (length >= minListedFiles) vault.list(dir);
    }
    let renamed = new Map<string, [id: number, NewFile]>();
    const settle = () => {
      reservations.settle([...renamed.values()]);
      renamed = new Map();
    };
    const events: (() => NewEvent)[] = [];
    const records: AuditEntry[] = [];
    return this.#noting((did) => {
      const outcomes = files.map(({ upload, file, guard }) => {
        const { id } = upload;
        const name = relative(file);
        if (renamed.has(name)) settle(); // this upload replaces the first one's file
        return outcome(() => {
          if (!held.has(upload)) throw takenOver();
          const replaced = guard.check(view) !== undefined;
          vault.renameFile(stagedPlace(id), file);
          reached("renamed");
          const event = this.#eventOf(upload.account, file, guard, replaced);
          const { size, sha256, modified } = file;
          const record = guard.record && fileWritten(guard.record, { size, replaced });
          did({ upload: id, places: [file], redo: () => this.#redo(id, file, event, record) });
          events.push(event);
          if (record) records.push(record);
          renamed.set(name, [id, file]);
          return { size, sha256, modified, replaced };
        });
      });
      settle();
      outbox.add(() => events.map((event) => event()));
      for (const record of records) audit.add(record);
      return outcomes;
    });
  };

  /** Returns a function that makes the event of a commit. */
  #eventOf(
    owner: number,
    file: NewFile,
    { door = null }: WriteGuard,
    replaced: boolean,
  ): () => NewEvent {
    return () => {
      const account = this.#parts.accounts.byId(owner)?.name ?? null;
      return commitEvent({ ...file, account, door, replaced });
    };
  }

  /**
   * Changes the disk and the ledger in one step. The caller must have recorded the intent of a rename.
   *
   * @throws what the functions of the change throw
   */
  change({ places, check, disk, ledger }: Change): Promise<void> {
    reached("intended");
    return this.#publish.submit(() =>
      this.#noting((did) => {
        check();
        this.#sync(); // before the change, since it may rename the folders
        disk();
        reached("renamed");
        did({ places, redo: ledger });
        ledger();
      })
    );
  }

  /** Runs work that reports its steps on disk before it writes the ledger. If it throws, the steps are owed. */
  #noting<T>(work: (did: (step: Step) => void) => T): T {
    const steps: Step[] = [];
    try {
      const value = work((step) => {
        for (const { dir } of step.places) this.#dirty.add(dir);
        steps.push(step);
      });
      this.#done.push(...steps);
      return value;
    } catch (error) {
      this.#owed.push(...steps);
      throw error;
    }
  }

  /** Writes an earlier rename to the ledger, unless the file was replaced since. */
  #redo(
    upload: number,
    file: NewFile,
    event: () => NewEvent,
    record: AuditEntry | undefined,
  ): void {
    const { audit, outbox, reservations } = this.#parts;
    if (record) audit.add(record);
    if (known(this.#parts, file)) return void reservations.drop(upload);
    reservations.settle([[upload, file]]);
    outbox.add(() => [event()]);
  }

  /** Sets a timer for the owed steps, in case there are no other commits. */
  #retryLater(): void {
    clearTimeout(this.#timer);
    if (this.#owed.length === 0) return;
    this.#timer = setTimeout(() => {
      this.#publish.submit(() => {}).catch(() => {/* the steps stay owed */});
    }, retryMs);
  }

  /** Writes owed steps to the ledger, and removes rows without a file: the names may have changed since. */
  #repay(): void {
    this.#repaid = new Set();
    const attempt = (step: Step, work: () => void): boolean => {
      try {
        this.#parts.db.transaction(work);
        return true;
      } catch (error) {
        if (!isMendable(error) && !this.#faulty.has(step)) {
          this.#faulty.add(step);
          logFault(error);
        }
        return false; // the step stays owed; the next start settles it at the latest
      }
    };
    for (const step of this.#owed) if (attempt(step, step.redo)) this.#repaid.add(step);
    for (const step of this.#repaid) {
      for (const place of step.places) attempt(step, () => forgetGone(this.#parts, place));
    }
  }

  /** Makes the changed names durable. */
  #sync(): void {
    for (const dir of this.#dirty) this.#parts.vault.sync(dir);
    this.#dirty.clear();
  }
}

/** Returns whether a retry can succeed: after a failure of the disk or lock, not of the program or its database. */
function isMendable(error: unknown): boolean {
  return error instanceof BargeError && error.kind !== "fatal";
}

function logFault(error: unknown): void {
  log.error("a change of the ledger failed, and the next start settles it: {error}", {
    error: trace(error),
  });
}
