/**
 * Delivers the events of commits to the operator's program, on its standard input:
 *
 *   exit code 0             delivered
 *   another                 failed; refused if the file is gone or was replaced, which no later run could read
 *   too slow                failed; other events are delivered
 *   it can't be started     failed; other events wait, too
 *
 * A worker that was broken into can write any row, so every field is checked, and the path on disk is built here.
 */
import * as v from "valibot";
import type { Deliver } from "../../events/delivery.ts";
import { typed } from "../../error.ts";
import type { Ground } from "../ground.ts";
import { encode, type ProgramLimits } from "./hook_programs.ts";
import { type ProgramResult, runProgram } from "./program.ts";
import { type CommitFacts, commitFacts } from "./upload_facts.ts";

/** Finds the files that the program reads. */
type Files = Pick<Ground, "committedFile" | "fetchCommitted" | "isCurrent">;

const maxQuotedCharacters = 500;

/**
 * Returns a function that delivers events of commits to a program.
 *
 * @param command the absolute path of the program, and its arguments
 */
export function commitProgram(
  command: readonly string[],
  { timeout }: Pick<ProgramLimits, "timeout">,
  files: Files,
): Deliver {
  return async ({ id, facts: text }, stop) => {
    const facts = parse(text);
    if (!facts) return { outcome: "refused", why: "its row is not one of barge's" };
    let file: string;
    try {
      file = files.committedFile(facts);
    } catch (error) {
      return { outcome: "refused", why: `${typed(error)}` };
    }
    const { event, account, path, ...rest } = facts;
    const input = encode({ event, account, path, file, ...rest, id });
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeout);
    try {
      const signal = AbortSignal.any([late.signal, stop]);
      await using _fetched = await files.fetchCommitted(facts, file, signal);
      const result = await runProgram(command, input, signal);
      if (result.code === 0) return { outcome: "delivered" };
      const why = `--on-commit ended with ${result.code} for ${described(facts)}${quoted(result)}`;
      if (await files.isCurrent(facts)) return { outcome: "failed", why, fault: "event" };
      return { outcome: "refused", why: `${why}; the file is gone or was replaced` };
    } catch (error) {
      stop.throwIfAborted();
      if (!late.signal.aborted) return { outcome: "failed", why: `${error}`, fault: "target" };
      const why = `--on-commit was killed after ${timeout / 1000} s for ${described(facts)}`;
      return { outcome: "failed", why, fault: "event" };
    } finally {
      clearTimeout(timer);
    }
  };
}

function quoted({ stderr }: ProgramResult): string {
  const text = stderr.slice(0, maxQuotedCharacters).trimEnd();
  return text && `: ${text}`;
}

function described({ path, account }: CommitFacts): string {
  return `${path} of ${account}`;
}

function parse(text: string): CommitFacts | undefined {
  try {
    const result = v.safeParse(commitFacts, JSON.parse(text));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}
