/** Runs a transfer over one or several connections, and repeats what has failed with exit code 5. */
import type { Client } from "../../core/client/client.ts";
import { ping } from "../../core/client/ping.ts";
import type { Totals, TransferEvent } from "../../core/client/transfer/events.ts";
import type { TransferOptions } from "../../core/client/transfer/options.ts";
import type { BargeError } from "../../core/error.ts";
import { counted } from "../_term/progress.ts";
import { isTemporary } from "./retries.ts";
import type { Session } from "./session.ts";
import type { Transfer } from "./transfer.ts";

export interface AttemptOptions {
  /** The number of connections. */
  readonly jobs: number;
  /** Whether the transfer can be made again: standard input can't be read twice. */
  readonly repeatable: boolean;
}

/** The options of a transfer that change from one attempt to the next. */
export type Attempt = (
  client: Client,
  options: Pick<TransferOptions, "onEvent" | "ready" | "others" | "done" | "unanswered">,
) => Promise<Totals>;

/**
 * Returns a transfer that makes attempts until all files are transferred, a failure is not temporary, or
 * the retries of the session are used up. Failures are displayed when no other attempt follows.
 */
export function inAttempts(
  session: Session,
  { jobs, repeatable }: AttemptOptions,
  attempt: Attempt,
): Transfer {
  return async ({ onEvent, ready }) => {
    const done = new Set<string>();
    const started = new Set<string>();
    const unanswered = new Set<string>();
    await using connections = new Connections(session);
    let clients = await connections.open(jobs);
    let before: Totals | undefined;
    for (;;) {
      const failures: TransferEvent[] = [];
      let temporary: BargeError | undefined;
      const mayRepeat = repeatable && session.retries.areLeft;
      const [client, ...others] = clients;
      const totals = await attempt(client, {
        ready,
        others,
        done,
        unanswered,
        onEvent(event) {
          if (event.type === "start" && mayRepeat) started.add(event.path);
          if (event.type === "done" && mayRepeat) {
            const { error, path } = event.result;
            if (error) {
              if (isTemporary(error)) {
                temporary ??= error;
                if (started.has(path)) unanswered.add(path);
              }
              failures.push(event);
              return;
            }
            done.add(path);
          }
          onEvent?.(event);
        },
      });
      before = sum(before, totals);
      const display = () => failures.forEach((event) => onEvent?.(event));
      if (temporary === undefined) {
        display();
        return before;
      }
      try {
        const failed = counted(failures.length, "file");
        await session.retries.wait(`${failed} failed: ${temporary}`);
        await connections.check();
        clients = await connections.open(jobs);
      } catch (cause) {
        display();
        throw cause;
      }
    }
  };
}

/** The connections of a transfer; those that broke are replaced. */
class Connections implements AsyncDisposable {
  readonly #session: Session;
  #open: Client[];

  constructor(session: Session) {
    this.#session = session;
    this.#open = [session.client];
  }

  /** Asks for answers, so that connections which broke during a wait are closed. */
  async check(): Promise<void> {
    await Promise.all(this.#open.map((client) => ping(client).catch(() => {/* it is closed */})));
  }

  /**
   * Opens the missing connections. A failure of several of them is one attempt.
   *
   * @throws {BargeError} why one can't be opened
   */
  async open(count: number): Promise<readonly Client[]> {
    return await this.#session.retries.run(async () => {
      this.#open = this.#open.filter(({ closed }) => !closed);
      const missing = Array.from({ length: count - this.#open.length });
      const opened = await Promise.allSettled(missing.map(() => this.#session.another()));
      for (const result of opened) if (result.status === "fulfilled") this.#open.push(result.value);
      for (const result of opened) if (result.status === "rejected") throw result.reason;
      return this.#open;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const own = this.#open.filter((client) => client !== this.#session.client);
    await Promise.all(own.map((client) => client[Symbol.asyncDispose]()));
  }
}

/** Returns the totals of all attempts; the last one's failures count. */
function sum(before: Totals | undefined, last: Totals): Totals {
  if (!before) return last;
  return {
    ...last,
    sent: before.sent + last.sent,
    resumed: before.resumed + last.resumed,
    skipped: before.skipped + last.skipped,
    removed: before.removed + last.removed,
    bytes: before.bytes + last.bytes,
  };
}
