/** Turns failures into the ones that clients see, and logs those that only the operator can mend. */
import { getLogger } from "@logtape/logtape";
import { BargeError, type ErrorFacts, type Kind, trace, typed } from "../error.ts";
import { StorageRefused } from "../storage/refused.ts";

const log = getLogger(["barge", "door"]);
/** A failure of many requests, such as a full disk, is logged at most once in this time. */
const logIntervalMs = 60_000;
/** The times at which such failures were last logged, by their reasons, which are few. */
const logged = new Map<string, number>();

/** The operation that failed, for messages. */
type Operation = Pick<ErrorFacts, "op" | "path">;

/** Steps inside the server; clients see neither them nor their paths. */
const internalSteps = new Set(["database", "open database", "open", "stage", "discard"]);
/** Kinds of internal failures that clients see, since trying again may help. */
const visibleKinds = new Set<Kind>(["unavailable", "no-space"]);

/**
 * Returns the failure that a client sees, with its verb and path. A failure that only the operator can
 * mend is logged with its cause.
 */
export function explain(error: unknown, operation: Operation): BargeError {
  let failed: BargeError;
  try {
    failed = typed(error, operation);
  } catch (bug) {
    return serverFailure(bug, operation);
  }
  if (failed instanceof StorageRefused) return storageRefused(failed, operation);
  if (failed.kind === "io" || failed.kind === "fatal") return serverFailure(error, operation);
  // A full disk is the cause of its failure. A failure at the limit of an account has no cause.
  if (failed.kind === "no-space" && failed.cause !== undefined) return diskFull(failed, operation);
  if (!failed.op || !internalSteps.has(failed.op)) return failed;
  if (!visibleKinds.has(failed.kind)) return serverFailure(error, operation);
  return new BargeError(failed.kind, failed.message, operation);
}

/** Logs that the disk is full, and returns the failure for the client. */
function diskFull(failed: BargeError, operation: Operation): BargeError {
  if (isLogDue("no room")) {
    log.warn("{op} {path}: the storage is full: {why}", {
      op: operation.op ?? "",
      path: operation.path ?? "",
      why: failed.message,
    });
  }
  return new BargeError("no-space", "the server's disk is full", operation);
}

/** Logs that the storage refuses the server, and returns the failure for the client. */
function storageRefused(failed: StorageRefused, operation: Operation): BargeError {
  if (isLogDue(failed.message)) {
    log.error("{op} {path}: {error}", { ...operation, error: trace(failed) });
  }
  return new BargeError("unavailable", "the storage refuses the server, whose log says why", {
    ...operation,
    hint: "try again once the operator has mended it",
  });
}

/** Returns whether a reason was not logged lately; the caller logs it then. */
function isLogDue(reason: string): boolean {
  const now = performance.now();
  if (now - (logged.get(reason) ?? -Infinity) < logIntervalMs) return false;
  logged.set(reason, now);
  return true;
}

function serverFailure(error: unknown, operation: Operation): BargeError {
  log.error("{op} {path}: {error}", { ...operation, error: trace(error) });
  return new BargeError("io", "the server failed; its log says how", operation);
}

/** Logs a failure that no answer reports: as an error if the server failed, else at the level for debugging. */
export function note(error: unknown, peer: string): void {
  const known = error instanceof BargeError;
  if (known && error.kind !== "io" && error.kind !== "fatal") {
    log.debug("{peer}: {why}", { peer, why: `${error}` });
  } else {
    log.error("{peer}: {error}", { peer, error: trace(error) });
  }
}
