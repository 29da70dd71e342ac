/**
 * Lists the connections of all workers. A worker asks the supervisor, which asks all others:
 *
 *   worker --list-connections--> supervisor --list-connections--> each other worker
 *   worker <----connections----- supervisor <----connections----- each other worker
 *
 * Both wait for a bounded time, the supervisor for a shorter one than the worker, and leave out a worker
 * that does not reply, because it is dead or busy. A worker has at most one query under way, whose result
 * all its callers share.
 */
import type { ListedConnection } from "../watch/roster.ts";

/** How long the supervisor waits for a worker. */
const workerTimeoutMs = 1_000;
/** How long a worker waits for the supervisor. */
const supervisorTimeoutMs = 2_000;
/**
 * The most queries of one worker that are under way at the supervisor: a worker sends one at a time, but may
 * no longer wait for earlier ones.
 */
const maxQueriesPerWorker = 4;

/** A query or its result, in both directions. */
export type RosterMessage =
  | { readonly type: "list-connections"; readonly id: number }
  | {
    readonly type: "connections";
    readonly id: number;
    readonly connections: readonly ListedConnection[];
  };

type Post = (message: RosterMessage) => void;

class PendingQueries {
  /** Queries by id; only the reply of `peer` is accepted. */
  readonly #pending = new Map<
    number,
    { peer: object; resolve(connections: readonly ListedConnection[]): void }
  >();
  #lastId = 0;

  /** Sends a query. @returns the reply of `peer`; an empty list if none comes within `timeoutMs` */
  send(peer: object, post: Post, timeoutMs: number): Promise<readonly ListedConnection[]> {
    const id = ++this.#lastId;
    return new Promise((done) => {
      const resolve = (connections: readonly ListedConnection[]) => {
        clearTimeout(timer);
        this.#pending.delete(id);
        done(connections);
      };
      const timer = setTimeout(() => resolve([]), timeoutMs);
      this.#pending.set(id, { peer, resolve });
      post({ type: "list-connections", id });
    });
  }

  /** Handles a reply. Drops a reply that does not come from the peer to which the query was sent. */
  receive(from: object, id: number, connections: readonly ListedConnection[]): void {
    const query = this.#pending.get(id);
    if (query?.peer === from) query.resolve(connections);
  }

  /** Ends all queries with an empty list. */
  stop(): void {
    for (const { resolve } of this.#pending.values()) resolve([]);
  }
}

/** A worker's side. */
export class RosterClient {
  readonly #post: Post;
  readonly #listOwn: () => readonly ListedConnection[];
  readonly #queries = new PendingQueries();
  #query: Promise<readonly ListedConnection[]> | undefined;

  /**
   * @param post sends a message to the supervisor
   * @param listOwn lists the connections of this worker
   */
  constructor(post: Post, listOwn: () => readonly ListedConnection[]) {
    this.#post = post;
    this.#listOwn = listOwn;
  }

  /** Lists the connections of the other workers. */
  others(): Promise<readonly ListedConnection[]> {
    this.#query ??= this.#queries.send(this, this.#post, supervisorTimeoutMs)
      .finally(() => this.#query = undefined);
    return this.#query;
  }

  /** Handles a message of the supervisor. */
  receive(message: RosterMessage): void {
    const { type, id } = message;
    if (type === "connections") this.#queries.receive(this, id, message.connections);
    else this.#post({ type: "connections", id, connections: this.#listOwn() });
  }

  stop(): void {
    this.#queries.stop();
  }
}

/** The supervisor's side, one for all workers. */
export class RosterBroker<W extends { postMessage(message: RosterMessage): void }> {
  readonly #queries = new PendingQueries();
  /** Number of queries under way of each worker. */
  readonly #active = new Map<W, number>();

  /**
   * Handles a worker's message. A query beyond {@link maxQueriesPerWorker} is dropped.
   *
   * @param all the workers, with the sender
   */
  async receive(message: RosterMessage, from: W, all: Iterable<W>): Promise<void> {
    const { type, id } = message;
    if (type === "connections") return this.#queries.receive(from, id, message.connections);
    const active = this.#active.get(from) ?? 0;
    if (active >= maxQueriesPerWorker) return;
    this.#active.set(from, active + 1);
    const others = [...all].filter((worker) => worker !== from);
    const lists = await Promise.all(
      others.map((worker) =>
        this.#queries.send(worker, (query) => worker.postMessage(query), workerTimeoutMs)
      ),
    );
    const left = this.#active.get(from)! - 1;
    if (left > 0) this.#active.set(from, left);
    else this.#active.delete(from);
    from.postMessage({ type: "connections", id, connections: lists.flat() });
  }

  stop(): void {
    this.#queries.stop();
  }
}
