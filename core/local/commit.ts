/**
 * The step from staged bytes to a file, for all uploads of an isolate; and renames and removals.
 *
 *   staged and synced -> [enter] sealed in the ledger -> [publish] renamed, folder synced, settled
 *
 * Both brackets are group commits. The rename happens inside the second transaction, so that the
 * write lock makes it one step for every other isolate: nobody can read the ledger, rename, and
 * write it, while another does. A crash between the rename and the commit is found on start by a
 * sealed upload whose staged bytes are gone, or are the file itself, or by an intent (recover.ts).
 * When a commit fails (the disk is full), what it did on disk is owed to the ledger; the next commit
 * takes it along, within a second.
 */
import type { NewFile } from "./ledger/ledger.ts";
import type { HeldUpload } from "./ledger/upload_rows.ts";
import { reached } from "./vault/fault.ts";
import { takenOver } from "./vault/fences.ts";
import { type Place, relative } from "../storage/place.ts";
import type { Guard } from "../storage/view.ts";
import { stagedPlace } from "./vault/staging.ts";
import { forgetGone, known } from "./entry.ts";
import { Group, type Outcome, outcome, type Together } from "./group.ts";
import type { Parts } from "./parts.ts";
import { LocalView } from "./view.ts";

/** A rename or removal: the disk and the ledger in one step. */
export interface Change<T> {
  /** The places that it takes from and puts to. */
  readonly places: readonly Place[];
  /** Throws if it may not be done (any more). */
  readonly check: () => T;
  readonly disk: () => void;
  readonly ledger: () => void;
}

/** A sealed upload that will become a file. */
interface Publication<T> {
  readonly upload: HeldUpload;
  readonly file: NewFile;
  readonly guard: Guard<T>;
}

/** Done on disk; `redo` brings the ledger in line. */
interface Step {
  readonly upload?: number;
  readonly places: readonly Place[];
  readonly redo: () => void;
}

/** The time until the next attempt after a failed commit, in ms. */
const retryMs = 1000;
/** The longest wait for the write lock by notes of uploads under way, in ms. */
const notePatienceMs = 30_000;

export class Commits implements Disposable {
  readonly #parts: Parts;
  readonly #enter: Group;
  readonly #publish: Group;
  readonly #notes: Group;
  /** Folders whose names the current transaction has changed. */
  readonly #dirty = new Set<string>();
  /** Steps that the current transaction has done on disk. */
  #done: Step[] = [];
  /** Steps that are done on disk, and not in the ledger yet. */
  #owed: Step[] = [];
  /** Owed steps whose ledger rows the current transaction has written. */
  #repaid = new Set<Step>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#enter = new Group(parts.db);
    this.#notes = new Group(parts.db, { light: true, patience: notePatienceMs });
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

  /** Returns whether an upload's file is in place and not in the ledger yet. Its row must stay then. */
  owes(upload: number): boolean {
    return this.#owed.some((step) => step.upload === upload);
  }

  /** Runs work on the ledger that must be durable before anything is renamed. */
  enter<T>(work: () => T): Promise<T> {
    return this.#enter.submit(work);
  }

  /**
   * Runs work on the ledger that a power cut may undo: reservations of uploads under way, and their
   * ends. The event loop goes on while another program has the write lock.
   */
  note<T>(work: () => T): Promise<T> {
    return this.#notes.submit(work);
  }

  /** Does the same with work on several inputs at once: see {@link Group.join}. */
  enterWith<I, T>(together: Together<I, T>, input: I): Promise<T> {
    return this.#enter.join(together, input);
  }

  /**
   * Renames a sealed upload's staged bytes into place and settles it.
   *
   * @throws what the guard throws; {BargeError} `unavailable` when the upload is not its holder's any
   *   more, and as the disk and the database do
   */
  async publish<T>(upload: HeldUpload, file: NewFile, guard: Guard<T>): Promise<T> {
    const publication = { upload, file, guard };
    return await this.#publish.join(this.#publishAll, publication) as T;
  }

  readonly #publishAll = (files: readonly Publication<unknown>[]): Outcome<unknown>[] => {
    const { reservations, vault } = this.#parts;
    const held = reservations.stillHeld(files.map(({ upload }) => upload));
    const view = new LocalView(this.#parts);
    let renamed = new Map<string, [id: number, NewFile]>();
    const settle = () => {
      reservations.settle([...renamed.values()]);
      renamed = new Map();
    };
    return this.#noting((did) => {
      const outcomes = files.map(({ upload, file, guard }) => {
        const { id } = upload;
        const name = relative(file);
        if (renamed.has(name)) settle(); // the second one finds the first, as everyone will
        return outcome(() => {
          if (!held.has(upload)) throw takenOver();
          const checked = guard.check(view);
          vault.renameFile(stagedPlace(id), file);
          reached("renamed");
          did({ upload: id, places: [file], redo: () => this.#redo(id, file) });
          renamed.set(name, [id, file]);
          return checked;
        });
      });
      settle();
      return outcomes;
    });
  };

  /** Renames or removes a file or folder; the intent is written down. @throws what its steps throw */
  async change<T>({ places, check, disk, ledger }: Change<T>): Promise<T> {
    reached("intended");
    return await this.#publish.submit(() =>
      this.#noting((did) => {
        const checked = check();
        this.#sync(); // a folder that is renamed now could not be found by its name later
        disk();
        reached("renamed");
        did({ places, redo: ledger });
        ledger();
        return checked;
      })
    );
  }

  /** Runs work that reports its steps on disk before it writes the ledger: if it throws, they are owed. */
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

  /** Brings the ledger in line with a rename that happened earlier. */
  #redo(upload: number, file: NewFile): void {
    const { reservations } = this.#parts;
    if (known(this.#parts, file)) reservations.drop(upload); // replaced since
    else reservations.settle([[upload, file]]);
  }

  /** Tries owed steps again in a second, whether or not there are other commits. */
  #retryLater(): void {
    clearTimeout(this.#timer);
    if (this.#owed.length === 0) return;
    this.#timer = setTimeout(() => {
      this.#publish.submit(() => {}).catch(() => {/* it stays owed, and is tried again */});
    }, retryMs);
  }

  /** Writes owed steps to the ledger, which keeps no row that the disk contradicts: others may have changed the names. */
  #repay(): void {
    this.#repaid = new Set();
    const attempt = (work: () => void): boolean => {
      try {
        this.#parts.db.transaction(work);
        return true;
      } catch {
        return false; // it stays owed; a start settles it at the latest
      }
    };
    for (const step of this.#owed) if (attempt(step.redo)) this.#repaid.add(step);
    for (const { places } of this.#repaid) {
      for (const place of places) attempt(() => forgetGone(this.#parts, place));
    }
  }

  /** Makes names durable. */
  #sync(): void {
    for (const dir of this.#dirty) this.#parts.vault.sync(dir);
    this.#dirty.clear();
  }
}
