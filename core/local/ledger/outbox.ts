/** Rows of events that wait for their delivery: see core/storage/events.ts. */
import { eventRows, type EventTarget, type NewEvent } from "../../storage/events.ts";
import type { Database } from "../database/database.ts";
import { Table } from "../database/table.ts";

/** The key of the server's targets in the table `meta`: commands on the directory write events for them. */
const targetsKey = "event_targets";

export class Outbox extends Table {
  #targets: readonly EventTarget[] | undefined;
  readonly #onWritten: () => void;

  /**
   * @param targets those of the server. Default: those that the last server on the directory has recorded
   * @param onWritten called when rows are written, before their transaction is committed
   */
  constructor(db: Database, targets?: readonly EventTarget[], onWritten: () => void = () => {}) {
    super(db);
    this.#targets = targets;
    this.#onWritten = onWritten;
  }

  /** Writes events in the current transaction. @param make returns the events; called only if there is a target */
  add(make: () => readonly NewEvent[]): void {
    const targets = this.#targets ??= this.recordedTargets();
    if (targets.length === 0) return;
    const at = Date.now();
    const rows = eventRows(targets, make()).map((row) => [...row, at]);
    if (rows.length === 0) return;
    this.db.insertAll("INSERT INTO event (target, places, facts, at) VALUES ROWS", rows);
    this.#onWritten();
  }

  recordedTargets(): readonly EventTarget[] {
    const text = this.db.value<string>("SELECT value FROM meta WHERE key = ?", targetsKey);
    return text === undefined ? [] : JSON.parse(text);
  }

  /** Records the targets of the server that starts. */
  record(targets: readonly EventTarget[]): void {
    this.#targets = targets;
    const value = JSON.stringify(targets);
    const current = this.db.value<string>("SELECT value FROM meta WHERE key = ?", targetsKey);
    if (value === (current ?? "[]")) return;
    this.db.upsert("meta", { key: targetsKey }, { value });
  }
}
