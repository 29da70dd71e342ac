/**
 * The error type that all rooms share: the kind of a failure, the operation, its object.
 *
 * Kinds are stable and are sent on the wire (PROTOCOL.md, "Errors"). Every door and the command line
 * have a table from kind to status that is `satisfies Record<Kind, ...>`, so that a new kind without
 * a status does not compile. A programmer's mistake stays a TypeError or a RangeError.
 */

/** All kinds of failures, with their meanings. */
export const kinds = {
  usage: "the request is invalid",
  "no-directory": "the folder that should hold the file does not exist",
  "not-found": "there is no file or folder of that name",
  unavailable: "the other side can't be reached, is busy, or was cut off; worth retrying",
  "no-space": "a disk is full; worth retrying once there is room",
  refused: "the other side does not do this, now or later",
  protocol: "the peer broke the protocol",
  unsupported: "the peer does not know this verb, version or mechanism",
  fatal: "the data directory or the program itself can't go on",
  io: "the operating system failed the request",
  denied: "not allowed",
  unauthenticated: "not logged in, or the login was not accepted",
  "code-needed": "the login needs a code of the account's second factor, too",
  "over-quota": "the account has no room for it",
  digest: "the bytes that arrived are not the bytes that were sent",
  exists: "the name is taken, or the file changed meanwhile",
  changed: "the source changed while it was read",
  identity: "the server is not the one that was trusted",
  interrupted: "stopped by the user",
} as const;

/** A stable name for a kind of failure. */
export type Kind = keyof typeof kinds;

/** The facts of a {@link BargeError} beside its kind. */
export interface ErrorFacts {
  /** The operation: a verb (`put`) or a step (`open database`). */
  readonly op?: string;
  /** Its object: a remote or local path, a host, an account. */
  readonly path?: string;
  readonly account?: string;
  /** A suggestion, as a sentence fragment: "add --parents". */
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * A failure with a stable kind.
 *
 * @example
 * ```ts
 * import { BargeError } from "./error.ts";
 * const e = new BargeError("over-quota", "needs 5 bytes, 3 are left", { op: "put", path: "/home/x" });
 * if (e.toString() !== "put /home/x: needs 5 bytes, 3 are left") throw e;
 * ```
 */
export class BargeError extends Error {
  override readonly name = "BargeError";
  readonly kind: Kind;
  readonly op?: string;
  readonly path?: string;
  readonly account?: string;
  readonly hint?: string;

  /** @param why the reason, in lower case, without the op and path */
  constructor(kind: Kind, why: string, facts: ErrorFacts = {}) {
    super(why, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.kind = kind;
    this.op = facts.op;
    this.path = facts.path;
    this.account = facts.account;
    this.hint = facts.hint;
  }

  /** Returns `op path: why`, in one line, without the hint. */
  override toString(): string {
    const subject = [this.op, this.path].filter(Boolean).join(" ");
    return subject ? `${subject}: ${this.message}` : this.message;
  }

  /** Returns the same failure with the facts that it lacks. */
  with(facts: ErrorFacts): BargeError {
    return this.replacing({
      op: this.op ?? facts.op,
      path: this.path ?? facts.path,
      account: this.account ?? facts.account,
      hint: this.hint ?? facts.hint,
    });
  }

  /** Returns the same failure with these facts in place of its own; `undefined` removes one. */
  replacing(facts: ErrorFacts): BargeError {
    const { op, path, account, hint, cause } = this;
    const replaced = new BargeError(this.kind, this.message, {
      ...{ op, path, account, hint, cause },
      ...facts,
    });
    replaced.stack = this.stack;
    return replaced;
  }
}

/** Returns whether this program knows a kind. */
export function isKind(value: string): value is Kind {
  return Object.hasOwn(kinds, value);
}

/** The system's errors of each kind: codes of Node, and names of `Deno.errors`. */
const systemErrors: { readonly [kind in Kind]?: string } = {
  "not-found": "ENOENT NotFound",
  "no-directory": "ENOTDIR NotADirectory",
  exists: "EEXIST ENOTEMPTY EISDIR AlreadyExists IsADirectory",
  denied: "EACCES EPERM EROFS ELOOP PermissionDenied NotCapable FilesystemLoop",
  usage: "ENAMETOOLONG EINVAL",
  "no-space": "ENOSPC EDQUOT EFBIG",
  unavailable:
    "EMFILE ENFILE EBUSY EAGAIN ENOMEM ENOBUFS EPIPE ETIMEDOUT ECONNREFUSED ECONNRESET " +
    "ECONNABORTED ENOTCONN ENETDOWN EHOSTDOWN EHOSTUNREACH ENETUNREACH ConnectionRefused " +
    "ConnectionReset ConnectionAborted BrokenPipe TimedOut UnexpectedEof BadResource Interrupted Busy",
  fatal: "EADDRINUSE EADDRNOTAVAIL AddrInUse AddrNotAvailable",
};
const kindsByName = new Map(
  Object.entries(systemErrors).flatMap(([kind, names]) =>
    names.split(" ").map((name) => [name, kind as Kind])
  ),
);

/** The reasons of AbortSignals, by name. */
const abortReasons: Readonly<Record<string, [Kind, string]>> = {
  AbortError: ["interrupted", "interrupted"],
  TimeoutError: ["unavailable", "no answer in time"],
};

/**
 * Returns a caught failure of the operating system or a signal as a BargeError. A BargeError gains
 * the facts that it lacks.
 *
 * @throws {TypeError | RangeError} the cause itself, which is a bug
 */
export function typed(cause: unknown, facts: ErrorFacts = {}): BargeError {
  if (cause instanceof BargeError) return cause.with(facts);
  if (cause instanceof TypeError || cause instanceof RangeError) throw cause;
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const aborted = abortReasons[error.name];
  if (aborted) return new BargeError(...aborted, { ...facts, cause });
  const code = String((error as { code?: unknown }).code);
  const kind = kindsByName.get(code) ?? kindsByName.get(error.name) ?? "io";
  return new BargeError(kind, reason(error), { ...facts, cause });
}

/**
 * Returns the system's message without the call and the path, which the facts have:
 * `ENOSPC: no space left on device, write` (Node), `No space left on device (os error 28): writefile
 * '/x'` (Deno).
 */
function reason(error: Error): string {
  return error.message
    .replace(/^E[A-Z0-9]+: ([^]*?)(?:, [a-z]+(?: '[^]*)?)?$/, "$1")
    .replace(/ \(os error \d+\)[^]*$/, "")
    .replace(/^[A-Z](?=[a-z ])/, (c) => c.toLowerCase());
}

/** Returns the stack of a failure and of its causes. */
export function trace(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by ${trace(error.cause)}`;
  return (error.stack ?? String(error)) + cause;
}
