/**
 * The changes of one process that wait for each other. The first change of some rows runs at once, in a transaction of
 * its own. Changes of the same rows that come meanwhile wait, and then share one transaction, and so one wait for the
 * database's disk. Each of them succeeds or fails by itself. They also take one connection in place of one each, so
 * that a busy home leaves connections to others.
 */
import { BargeError, typed } from "../../error.ts";
import type { Postgres, Statements, Transaction } from "../database/postgres.ts";

/** The most changes of one transaction, which holds its locks until the last one of them has ended. */
const maxChanges = 32;
/** The most changes that wait for the same rows. */
const maxWaiting = 10_000;
/** The longest wait for a turn, in ms: that for a connection, and that of a statement for the rows. */
const deadlineMs = 10_000;

type Work<T> = (tx: Statements) => Promise<T>;

interface Waiting {
  readonly work: Work<unknown>;
  readonly settle: (outcome: PromiseSettledResult<unknown>) => void;
}

export class ChangeQueue {
  readonly #db: Postgres;
  /** The changes that wait for the end of a transaction, by the rows that it has locked. */
  readonly #waiting = new Map<string, Waiting[]>();

  constructor(db: Postgres) {
    this.#db = db;
  }

  /**
   * Runs a change in a transaction.
   *
   * @param rows names the rows that the change locks; changes of the same rows share transactions
   * @param lock locks these rows
   * @param work the change. It may run again
   * @throws what the work throws; {BargeError} `unavailable`; as Postgres.transaction
   */
  async run<T>(rows: string, lock: Work<void>, work: Work<T>): Promise<T> {
    const waiting = this.#waiting.get(rows);
    if (waiting) return await wait(waiting, work);
    this.#waiting.set(rows, []);
    try {
      return await this.#db.transaction((tx) => locked(lock(tx), work(tx)));
    } finally {
      void this.#serve(rows, lock);
    }
  }

  /** Runs the changes that wait for some rows, until none waits. Never throws. */
  async #serve(rows: string, lock: Work<void>): Promise<void> {
    const waiting = this.#waiting.get(rows)!;
    while (waiting.length > 0) {
      const group = waiting.splice(0, maxChanges);
      const outcomes = await this.#runGroup(group, lock);
      for (const [i, { settle }] of group.entries()) settle(outcomes[i]);
    }
    this.#waiting.delete(rows);
  }

  async #runGroup(
    group: readonly Waiting[],
    lock: Work<void>,
  ): Promise<PromiseSettledResult<unknown>[]> {
    try {
      return await this.#db.transaction((tx) => locked(lock(tx), runAll(tx, group)));
    } catch (error) {
      return group.map(() => ({ status: "rejected", reason: typed(error) }));
    }
  }
}

/**
 * Awaits the lock and the work behind it, whose statements are sent without a wait for the lock: the database
 * runs them in their order.
 */
async function locked<T>(lock: Promise<void>, work: Promise<T>): Promise<T> {
  const [locking, working] = await Promise.allSettled([lock, work]);
  if (locking.status === "rejected") throw locking.reason;
  if (working.status === "rejected") throw working.reason;
  return working.value;
}

async function runAll(
  tx: Transaction,
  group: readonly Waiting[],
): Promise<PromiseSettledResult<unknown>[]> {
  const outcomes: PromiseSettledResult<unknown>[] = [];
  for (const { work } of group) outcomes.push(await tx.attempt(() => work(tx)));
  return outcomes;
}

/** Waits for a turn and for the end of the change. @throws as {@link ChangeQueue.run} */
function wait<T>(waiting: Waiting[], work: Work<T>): Promise<T> {
  if (waiting.length >= maxWaiting) {
    throw new BargeError("unavailable", "too many changes wait for each other");
  }
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      waiting.splice(waiting.indexOf(turn), 1);
      reject(busy());
    }, deadlineMs);
    const turn: Waiting = {
      work: (tx) => {
        clearTimeout(timer);
        return work(tx);
      },
      settle: (outcome) => {
        clearTimeout(timer);
        if (outcome.status === "fulfilled") resolve(outcome.value as T);
        else reject(outcome.reason);
      },
    };
    waiting.push(turn);
  });
}

function busy(): BargeError {
  return new BargeError("unavailable", "the database is too busy", {
    hint: "other changes of the same files take too long; try again later",
  });
}

/** The queue of each connection pool. */
const queues = new WeakMap<Postgres, ChangeQueue>();

/** Returns the queue of the changes that a process makes through a connection pool. */
export function changeQueueOf(db: Postgres): ChangeQueue {
  const existing = queues.get(db);
  if (existing) return existing;
  const queue = new ChangeQueue(db);
  queues.set(db, queue);
  return queue;
}
