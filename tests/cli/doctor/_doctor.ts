/** Runs of `barge doctor`, and what they print. */
import assert from "node:assert/strict";
import { lines, type RunOptions } from "../_barge.ts";
import type { Place } from "../_runner.ts";

/** A finding as `--json` prints it. */
export interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly message: string;
  readonly advice: string | null;
  readonly path: string | null;
}

/** Runs doctor, and checks its summary and its exit code. */
export async function examine(home: Place, args: readonly string[], options?: RunOptions) {
  const outcome = await home.barge(["doctor", "--json", ...args], options);
  const printed = lines(outcome);
  const summary = printed.pop();
  assert.equal(summary?.type, "summary", outcome.stderr);
  const findings: readonly Finding[] = printed;
  for (const severity of ["ok", "note", "warn", "bad"]) {
    const count = findings.filter((finding) => finding.severity === severity).length;
    assert.equal(summary[severity], count, severity);
  }
  assert.equal(outcome.code, summary.bad + summary.warn > 0 ? 1 : 0, outcome.stdout);
  for (const { severity, advice, message } of findings) {
    if (severity === "warn" || severity === "bad") assert.ok(advice, message);
  }
  return new Findings(findings);
}

export class Findings {
  readonly all: readonly Finding[];

  constructor(all: readonly Finding[]) {
    this.all = all;
  }

  /** Returns the findings of a check. */
  of(id: string): readonly Finding[] {
    return this.all.filter((finding) => finding.id === id);
  }

  /** Returns the only finding of a check. */
  one(id: string): Finding {
    const found = this.of(id);
    assert.equal(found.length, 1, JSON.stringify(this.all, null, 1));
    return found[0];
  }

  /** Returns the findings that ask for a change, as `severity id`, without those on the tests' machine. */
  get faults(): readonly string[] {
    const ofMachine = ["file-system", "disk-bytes", "inodes", "descriptors"];
    return this.all.filter(({ id }) => !ofMachine.includes(id))
      .filter(({ severity }) => severity === "warn" || severity === "bad")
      .map(({ severity, id }) => `${severity} ${id}`);
  }
}
