/** What is asked and answers: one connection of a load, of whatever protocol. */
import { typed } from "../error.ts";

/** How a request can fail. */
export type Failure =
  | "refused"
  | "reset"
  | "closed"
  | "wrong"
  | "extra"
  | "late"
  | "lost"
  | "unsent"
  | "name"
  | "blocked"
  | "descriptors"
  | `status ${number}`
  | "other";

/** A request that failed. */
export class Failed extends Error {
  override readonly name = "Failed";
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure, options);
    this.failure = failure;
  }
}

/** One connection; one request at a time is on its way. */
export interface Line {
  /**
   * Asks, and waits for the answer.
   *
   * @returns bytes that went and came
   * @throws {Failed}
   */
  exchange(): Promise<number>;
  /** Gives the request up that is on its way: it fails with `late`, or `lost`. */
  cut(): void;
  /** Can it be used again after a request that failed? */
  readonly survives: boolean;
  close(): void;
}

/** Opens lines to one server. @throws {Failed} */
export type Open = () => Promise<Line>;

/** What a system call's failure is called here. */
export function failed(cause: unknown): Failed {
  if (cause instanceof Failed) return cause;
  const { code, message = "" } = cause as { code?: unknown; message?: string };
  const is = (type: new (...args: never[]) => Error, name: string) =>
    cause instanceof type || code === name;
  if (is(Deno.errors.ConnectionRefused, "ECONNREFUSED")) return new Failed("refused", { cause });
  if (is(Deno.errors.ConnectionReset, "ECONNRESET")) return new Failed("reset", { cause });
  if (is(Deno.errors.BrokenPipe, "EPIPE")) return new Failed("reset", { cause });
  if (is(Deno.errors.TimedOut, "ETIMEDOUT")) return new Failed("late", { cause });
  if (/os error 24\b|EMFILE|too many open files/i.test(message)) {
    return new Failed("descriptors", { cause });
  }
  if (/failed to lookup address|ENOTFOUND|EAI_AGAIN/i.test(message)) {
    return new Failed("name", { cause });
  }
  typed(cause); // a bug is thrown on
  return new Failed("other", { cause });
}
