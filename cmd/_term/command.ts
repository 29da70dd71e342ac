/**
 * Declares the verbs of the command line. Each file in cmd/ declares one verb, with its options and
 * arguments as data that parse.ts, help.ts and suggest.ts read.
 *
 * Each option has a variable in the environment, named after its long name: `--dry-run` is
 * BARGE_DRY_RUN; an empty variable counts as unset. A configuration file has the option under its long
 * name, too. The command line has precedence over the environment, and both over the file.
 */
import { BargeError } from "../../core/error.ts";
import type { Reading, Sources } from "./source.ts";
import { path, plain, type ValueParser, yesOrNo } from "./value.ts";

/** The arguments of a verb beside its options. */
export interface Context extends Pick<Reading<unknown>, "sources"> {
  /** Aborted by Ctrl-C or SIGTERM, or when standard output is closed. */
  readonly signal: AbortSignal;
  /** The name of the verb, like `user add`. */
  readonly verb: string;
  /** All verbs, for `completion`. */
  readonly tree: Tree;
  /** Reads the options again, from files as they are now. @throws {BargeError} as the first reading */
  readonly readAgain: () => Promise<Reading<unknown>>;
}

export type Outcome = Promise<number | void> | void;

/** The help of a verb. */
export interface Help {
  /** Its arguments, as its usage line shows them. Default: all of them, in their order. */
  readonly usage?: string;
  /** The text of its help; an empty line begins a new paragraph. */
  readonly about: string;
  /** Example command lines, each with its purpose. */
  readonly examples: readonly (readonly [line: string, purpose: string])[];
  /** The hints for options that the verb does not have, by their names: the verb that does the work. */
  readonly otherVerbs?: Readonly<Record<`--${string}`, string>>;
}

export interface Command<T> extends Help {
  /** Its options and arguments. */
  readonly options: Options<T>;
  /** Reads the configuration files that the other sources name. Default: the client's file, for a client's verb. */
  readonly readFiles?: ReadFiles;
  /** Runs the verb. @returns the exit code; undefined: 0 */
  run(values: T, context: Context): Outcome;
}

/** A verb as its file declares it: `run` gets its own values and the common ones. */
export interface Declared<T> extends Help {
  readonly options: Options<T>;
  readonly readFiles?: ReadFiles;
  run(values: T & Common, context: Context): Outcome;
}

/** Declares a verb with the options that every verb has. */
export function command<T>(declared: Declared<T>): Command<T & Common> {
  return { ...declared, options: named({ ...declared.options, ...common } as Options<T & Common>) };
}

/** Adds the long names of options, which follow from their keys: `dryRun` is `--dry-run`. */
export function named<T>(options: Options<T>): Options<T> {
  const entries = Object.entries<Option<unknown>>(options).map(([key, option]) => {
    const long = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const isOption = ["flag", "value", "values"].includes(option.kind);
    return [key, isOption ? { ...option, names: [...option.names, long] } : option];
  });
  return Object.fromEntries(entries);
}

/** Returns the arguments of a verb for its usage line. */
export function usageOf({ usage, options }: AnyCommand): string {
  if (usage !== undefined) return usage;
  return Object.values<Option<unknown>>(options).flatMap(({ kind, parser: { metavar }, min }) => {
    if (kind === "argument") return metavar;
    if (kind === "optional") return `[${metavar}]`;
    return kind !== "several" ? [] : min > 0 ? `${metavar}...` : `[${metavar}...]`;
  }).join(" ");
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

/** An option or argument of a verb. */
export interface Option<T> {
  /**
   * How many values it takes. The last four are arguments; `several` and `rest` stand last. `rest`
   * takes all words from its place on, options too.
   */
  readonly kind: "flag" | "value" | "values" | "argument" | "optional" | "several" | "rest";
  /** Its names; an argument has none. `command` adds the long name. */
  readonly names: readonly string[];
  readonly help: string;
  readonly parser: ValueParser<unknown>;
  /** The least number of values; only arguments need any. */
  readonly min: number;
  /** Where a configuration file may set it. Default: in the table of its verb; for `serve` at the top level. */
  readonly place?: Place;
  /** Whether a running server applies another value after SIGHUP: each, or only one that replaces another. */
  readonly reloads?: "always" | "replaced";
  /** Whether its variable may hold a secret. */
  readonly secret?: boolean;
  /** The keys of options that it can't be combined with. A stronger source overrides them. */
  readonly excludes?: readonly string[];
  /** The keys of options of which it needs one: without any it has no effect. */
  readonly needs?: readonly string[];
  /**
   * Returns the option's value.
   *
   * @param texts its values, at least `min`
   * @param at names their source in messages
   * @throws {BargeError} `usage` for a text that is not valid
   */
  parse(texts: readonly string[], at?: string): T;
  /** Returns the value if no source gives one. Absent for arguments, which then parse no texts. */
  fallback?(): T;
}

/**
 * A place in a configuration file: `limits` is a table of the server's file, `general` is the top level of
 * the client's file, `none` is for options that no file may set.
 */
export type Place = "limits" | "general" | "none";

/** Returns options with marks for their sources. */
export function marked<O extends Options<unknown>>(
  options: O,
  marks: Pick<Option<unknown>, "place" | "reloads" | "secret" | "excludes" | "needs">,
): O {
  const entries = Object.entries<Option<unknown>>(options)
    .map(([key, option]) => [key, { ...option, ...marks }]);
  return Object.fromEntries(entries);
}

/** Reads the files that hold options of a verb. @param given the other sources @throws {BargeError} */
export type ReadFiles = (given: Sources, options: Options<unknown>) => Promise<Sources>;

/** A verb's options by the names of their values. */
export type Options<T> = { readonly [K in keyof T]: Option<T[K]> };

/** The values of options. */
export type ValuesOf<O> = { readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never };

/** An option without a value. @param short a name like `-r`, beside the long one */
export function flag(help: string, ...short: readonly `-${string}`[]): Option<boolean> {
  const parse = ([text]: readonly string[], at?: string) => parseText(yesOrNo, text, at);
  const fallback = () => false;
  return { kind: "flag", names: short, help, parser: yesOrNo, min: 0, parse, fallback };
}

/** An option with a value; undefined when it is not given. */
export function value<T>(
  parser: ValueParser<T>,
  help: string,
  ...short: readonly `-${string}`[]
): Option<T | undefined> {
  return valueOr<T | undefined>(parser, undefined, help, ...short);
}

/** An option with a value, and a default or a function that returns it. */
export function valueOr<T>(
  parser: ValueParser<T>,
  fallback: T | (() => T),
  help: string,
  ...short: readonly `-${string}`[]
): Option<T> {
  return {
    kind: "value",
    names: short,
    help,
    parser,
    min: 0,
    parse: ([text], at) => parseText(parser, text, at),
    fallback: () => fallback instanceof Function ? fallback() : fallback,
  };
}

/** An option that may be repeated. Its variable holds one value a line. */
export function values<T>(parser: ValueParser<T>, help: string): Option<readonly T[]> {
  const parse = (texts: readonly string[], at?: string) =>
    texts.map((text) => parseText(parser, text, at));
  return { kind: "values", names: [], help, parser, min: 0, parse, fallback: () => [] };
}

/** The form of an argument: a parser, or its name in help, for any text. */
type Form<T> = string | ValueParser<T>;

/** An argument. */
export function argument<T = string>(form: Form<T>, help: string): Option<T> {
  const parser = parserOf(form);
  const parse = ([text]: readonly string[]) => parseText(parser, text);
  return { kind: "argument", names: [], help, parser, min: 1, parse };
}

/** An argument that may be left out. */
export function optionalArgument<T = string>(form: Form<T>, help: string): Option<T | undefined> {
  const parser = parserOf(form);
  const parse = ([text]: readonly string[]) =>
    text === undefined ? undefined : parseText(parser, text);
  return { kind: "optional", names: [], help, parser, min: 0, parse };
}

/** Several arguments, `min` or more. */
export function args<T = string>(form: Form<T>, help: string, min = 1): Option<readonly T[]> {
  const parser = parserOf(form);
  const parse = (texts: readonly string[]) => texts.map((text) => parseText(parser, text));
  return { kind: "several", names: [], help, parser, min, parse };
}

/** All words from its place on, options too. Help does not list it. */
export function rest(): Option<readonly string[]> {
  const parse = (texts: readonly string[]) => texts;
  return { kind: "rest", names: [], help: "", parser: plain("WORD"), min: 0, parse };
}

/** Returns the name of an option's variable. */
export function variableOf(names: readonly string[]): string {
  return "BARGE_" + longName(names).replace(/^-+/, "").replaceAll("-", "_").toUpperCase();
}

/** The options that every verb has. */
const common = {
  json: flag("Print JSON, one object or one a line, with fixed field names"),
  ...marked({ debug: flag("Show where in barge a failure came from") }, { place: "none" }),
};
export type Common = ValuesOf<typeof common>;

/** The option that names the data directory of a server. */
export function dataOption(): Option<string> {
  return valueOr(
    path("DIR", "directory"),
    defaultData,
    "The data directory. Default: $XDG_DATA_HOME/barge, or ~/.local/share/barge",
  );
}

/** Returns whether the command line or BARGE_DATA names the data directory. */
export function isDataNamed(): boolean {
  return Boolean(Deno.env.get(variableOf(["--data"]))) || isDataOnLine();
}

/** Returns whether the command line names the data directory. */
export function isDataOnLine(): boolean {
  return isOnLine("--data");
}

/** Returns whether the command line has an option, and not only its variable. */
export function isOnLine(name: `--${string}`): boolean {
  return Deno.args.some((arg) => arg === name || arg.startsWith(`${name}=`));
}

function defaultData(): string {
  const xdg = Deno.env.get("XDG_DATA_HOME");
  if (xdg?.startsWith("/")) return `${xdg}/barge`;
  const home = Deno.env.get("HOME") || Deno.env.get("USERPROFILE");
  if (home) return `${home}/.local/share/barge`;
  throw new BargeError("usage", "no data directory is named, and HOME is not set", {
    hint: "use --data",
  });
}

/** @param at the option or variable that the text comes from, for the message */
function parseText<T>(parser: ValueParser<T>, text: string, at?: string): T {
  const value = parser.parse(text);
  if (value !== undefined) return value;
  const why = `${JSON.stringify(text)} is not ${parser.wanted}`;
  throw new BargeError("usage", at === undefined ? why : `${at}: ${why}`);
}

/** Returns the name of an option in full: `--dry-run`. */
export function longName(names: readonly string[]): string {
  return names.find((name) => name.startsWith("--")) ?? names[0];
}

function parserOf<T>(form: Form<T>): ValueParser<T> {
  return typeof form === "string" ? plain(form) as ValueParser<unknown> as ValueParser<T> : form;
}
