/** The types of a verb, of which each file in cmd/ is one, and of the command tree. */
import type { Options } from "./options.ts";

/** The arguments of a verb beside its options. */
export interface Context {
  /** Aborted by Ctrl-C or SIGTERM, or when standard output is closed. */
  readonly signal: AbortSignal;
  /** All verbs, for `completion`. */
  readonly tree: Tree;
}

export interface Command<T> {
  /** Its options and arguments. */
  readonly options: Options<T>;
  /** Its arguments, as its usage line shows them. */
  readonly usage: string;
  /** The text of its help; an empty line begins a new paragraph. */
  readonly about: string;
  /** Example command lines, each with its purpose. */
  readonly examples: readonly (readonly [line: string, purpose: string])[];
  /** Runs the verb. @returns the exit code; undefined: 0 */
  run(values: T, context: Context): Promise<number | void>;
}

/** Declares a verb, so that the types of its values follow from its options. */
export function command<T>(command: Command<T>): Command<T> {
  return command;
}

/** A verb with options of any type. */
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
  /** The verb that the group's name alone calls (`barge quota`). */
  readonly load?: Verb["load"];
}
export type Tree = Readonly<Record<string, Verb | Group>>;
