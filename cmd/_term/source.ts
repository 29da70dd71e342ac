/** Where the values of options come from. */

/** The origins of an option's value, the weakest first; a later one overrides an earlier one. */
export const origins = ["default", "file", "environment", "command line"] as const;

/** One source of an option's value. */
export interface Source {
  readonly origin: Exclude<typeof origins[number], "default">;
  /** The option, the variable or the place in the file, as messages name it; an argument has none. */
  readonly at?: string;
  /** The values as text: one, or several for an option that may be repeated. */
  readonly texts: readonly string[];
}

/** The strongest source of each option that is given, by the option's key. */
export type Sources = ReadonlyMap<string, Source>;

/** The values of a verb's options, with the sources of those that are not defaults. */
export interface Reading<T> {
  readonly values: T;
  readonly sources: Sources;
}
