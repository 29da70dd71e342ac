/** What a client is told of a failure, and what the log keeps of it. */
import { getLogger } from "@logtape/logtape";
import { BargeError, type Kind, trace, typed } from "../error.ts";

const log = getLogger(["barge", "door"]);
/** A full disk fails every upload; the log has one record of it in this time, in ms. */
const diskFullEvery = 60_000;
let diskFullLogged = -Infinity;

/** What was asked for. */
export interface Asked {
  readonly op?: string;
  readonly path?: string;
}

/** Steps inside the server: they, and the paths they name, are the operator's business. */
const inner = new Set(["database", "open database", "open", "stage", "discard"]);
/** What a client can do something about though it failed inside. */
const passing = new Set<Kind>(["unavailable", "no-space"]);

/**
 * A failure as the client is to see it, with the verb and path that it asked for. What only the
 * operator can do something about is logged, once, with its cause.
 */
export function explain(error: unknown, asked: Asked): BargeError {
  let failed: BargeError;
  try {
    failed = typed(error, asked);
  } catch (bug) {
    return ours(bug, asked);
  }
  if (failed.kind === "io" || failed.kind === "fatal") return ours(error, asked);
  if (failed.kind === "no-space" && failed.cause !== undefined) return diskFull(failed, asked);
  if (!failed.op || !inner.has(failed.op)) return failed;
  if (!passing.has(failed.kind)) return ours(error, asked);
  return new BargeError(failed.kind, failed.message, asked);
}

/**
 * Logs that the disk is full, and returns the failure for the client. The limits of accounts have
 * no `cause`.
 */
function diskFull(failed: BargeError, asked: Asked): BargeError {
  const now = performance.now();
  if (now - diskFullLogged >= diskFullEvery) {
    diskFullLogged = now;
    log.warn("{op} {path}: the disk of the data directory has no room: {why}", {
      ...{ op: asked.op ?? "", path: asked.path ?? "", why: failed.message },
    });
  }
  return new BargeError("no-space", "the server's disk is full", asked);
}

function ours(error: unknown, asked: Asked): BargeError {
  log.error("{op} {path}: {error}", { ...asked, error: trace(error) });
  return new BargeError("io", "the server failed; its log says how", asked);
}

/** A failure that no answer tells any more: who was cut off is no news, what is broken here is. */
export function note(error: unknown, peer: string): void {
  const known = error instanceof BargeError;
  if (known && error.kind !== "io" && error.kind !== "fatal") {
    log.debug("{peer}: {why}", { peer, why: `${error}` });
  } else {
    log.error("{peer}: {error}", { peer, error: trace(error) });
  }
}
