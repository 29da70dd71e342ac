/** Findings of `barge doctor`: the results of its checks. */

/** From the best to the worst. `warn` and `bad` ask for a change. */
export const severities = ["ok", "note", "warn", "bad"] as const;
export type Severity = typeof severities[number];

/** The result of a check for one subject. */
export interface Verdict {
  readonly severity: Severity;
  /** One sentence. */
  readonly message: string;
  /** The steps that correct it, as a sentence; `warn` and `bad` have it. */
  readonly advice?: string;
  /** The file or folder that it is about. */
  readonly path?: string;
}

/** A verdict with the name of its check, which never changes. */
export interface Finding extends Verdict {
  readonly id: string;
}

/** Returns whether one of the verdicts asks for a change. */
export function needsChange(verdicts: readonly Verdict[]): boolean {
  return verdicts.some(({ severity }) => severity === "warn" || severity === "bad");
}
