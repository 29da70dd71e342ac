/** Writes rows of events that wait for their delivery: see core/storage/events.ts. */
import { eventRows, type EventTarget, type NewEvent } from "../../storage/events.ts";
import type { Statements } from "./postgres.ts";

export class SharedOutbox {
  #targets: readonly EventTarget[] | undefined;
  readonly #onWritten: () => void;

  /**
   * @param targets those of the node. Default: those that nodes had in the last day
   * @param onWritten called when rows are written, before their transaction is committed
   */
  constructor(targets?: readonly EventTarget[], onWritten: () => void = () => {}) {
    this.#targets = targets;
    this.#onWritten = onWritten;
  }

  /**
   * Writes events in a transaction. A transaction that has locked the space of a place writes the events of the
   * place in the order of its changes.
   *
   * @param tx a transaction: the readers of events need its id to be older than those of the rows
   * @param make returns the events; called only if there is a target
   */
  async add(tx: Statements, make: () => readonly NewEvent[]): Promise<void> {
    const targets = this.#targets ??= await recordedTargets(tx);
    if (targets.length === 0) return;
    const rows = eventRows(targets, make());
    if (rows.length === 0) return;
    await tx.all(
      `INSERT INTO event (target, places, facts)
       SELECT row->>0, row->>1, row->>2
       FROM jsonb_array_elements($1::text::jsonb) WITH ORDINALITY AS e (row, number) ORDER BY number`,
      JSON.stringify(rows),
    );
    this.#onWritten();
  }
}

/** Returns the targets that nodes had in the last day. */
export async function recordedTargets(tx: Statements): Promise<EventTarget[]> {
  return await tx.all<EventTarget>(
    `SELECT name, commits_only AS "commitsOnly" FROM event_target
     WHERE seen > now() - interval '1 day'`,
  );
}
