/** What a file in cmd/ is: one verb of the command line. */
import type { Options } from "./options.ts";

/** What every verb is given beside its options. */
export interface Context {
  /** Aborted by Ctrl-C, SIGTERM, or when nobody reads standard output any more. */
  readonly signal: AbortSignal;
  /** All verbs, for the one that completes them. */
  readonly tree: Tree;
}

export interface Command<T> {
  /** Its options and arguments. */
  readonly options: Options<T>;
  /** Its arguments, as its usage line shows them. */
  readonly usage: string;
  /** What it does, in a few sentences; an empty line begins a new paragraph. */
  readonly about: string;
  /** Command lines that show it at work, each with a few words on what it does. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  /** Does it. @returns the exit code, 0 if none */
  run(values: T, context: Context): Promise<number | void>;
}

/** Ties the types of a verb's options to what it does with them. */
export function command<T>(command: Command<T>): Command<T> {
  return command;
}

/** A verb whose options' type does not matter, as the command tree holds it. */
// deno-lint-ignore no-explicit-any
export type AnyCommand = Command<any>;

/** A row of the command tree: a verb, or a group of verbs. */
export interface Verb {
  readonly brief: string;
  readonly load: () => Promise<{ readonly default: AnyCommand }>;
}
export interface Group {
  readonly brief: string;
  readonly verbs: Tree;
  /** What the group's name alone does, if it does something (`barge quota`). */
  readonly load?: Verb["load"];
}
export type Tree = Readonly<Record<string, Verb | Group>>;
