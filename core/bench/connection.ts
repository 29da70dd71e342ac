/** One connection of a load, of any protocol, and the ways in which a request on it fails. */
import { typed } from "../error.ts";

/** The kind of a failed request. */
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
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure, options);
    this.failure = failure;
  }
}

/** A connection with at most one request under way. */
export interface Connection {
  /**
   * Sends a request and waits for the answer.
   *
   * @returns bytes of both directions
   * @throws {RequestError}
   */
  exchange(): Promise<number>;
  /** Gives up the request under way, which then fails with `late` or `lost`. */
  abandon(): void;
  /** Whether the connection can be used again after a failed request. */
  readonly reusable: boolean;
  close(): void;
}

/** Opens a connection to the server under load. @throws {RequestError} */
export type Open = () => Promise<Connection>;

/** Returns the failure that a system call's error stands for. @throws the cause, if it is a bug */
export function toRequestError(cause: unknown): RequestError {
  if (cause instanceof RequestError) return cause;
  const { code, message = "" } = cause as { code?: unknown; message?: string };
  for (const [type, name, failure] of systemFailures) {
    if (cause instanceof type || code === name) return new RequestError(failure, { cause });
  }
  if (/os error 24\b|EMFILE|too many open files/i.test(message)) {
    return new RequestError("descriptors", { cause });
  }
  if (/failed to lookup address|ENOTFOUND|EAI_AGAIN/i.test(message)) {
    return new RequestError("name", { cause });
  }
  typed(cause);
  return new RequestError("other", { cause });
}

/** The failures by the errors of Deno, and the codes of Node. */
const systemFailures = [
  [Deno.errors.ConnectionRefused, "ECONNREFUSED", "refused"],
  [Deno.errors.ConnectionReset, "ECONNRESET", "reset"],
  [Deno.errors.BrokenPipe, "EPIPE", "reset"],
  [Deno.errors.TimedOut, "ETIMEDOUT", "late"],
] as const;
