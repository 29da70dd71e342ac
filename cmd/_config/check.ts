/** Compares the settings of a configuration file with the options that it may set. */
import { dirname, resolve } from "node:path";
import { BargeError } from "../../core/error.ts";
import { longName, type Option, type Options } from "../_term/command.ts";
import { didYouMean, similar } from "../_term/similar.ts";
import type { Source, Sources } from "../_term/source.ts";
import type { ScalarType } from "../_term/value.ts";
import { type FileValue, placeOf, type Problem, type Setting } from "./setting.ts";

/** The options that a table of the file may set; the top level is the table "". */
export type Tables = ReadonlyMap<string, Options<unknown>>;

/** The tables that a file may hold. */
export interface Schema {
  readonly tables: Tables;
  /** Tables that are not checked now, since their options are not loaded. */
  readonly unchecked?: readonly string[];
  /** Returns the verb whose options a table holds. */
  readonly verbOf: (table: string) => string;
}

/** The most options that a hint lists. */
const maxListed = 20;

interface Checked {
  /** The sources of each table's options, by the option's key. */
  readonly sources: ReadonlyMap<string, Sources>;
  readonly problems: readonly Problem[];
}

/** Checks settings. @param file its path, to which its relative paths belong */
export function checkSettings(
  settings: readonly Setting[],
  { tables, unchecked = [], verbOf }: Schema,
  file: string,
): Checked {
  const sources = new Map(Array.from(tables.keys(), (table) => [table, new Map<string, Source>()]));
  const problems: Problem[] = [];
  const names = [...tables.keys(), ...unchecked].filter(Boolean);
  const isKnown = (name: string) =>
    names.some((known) => known === name || known.startsWith(`${name}.`));
  const unknown: string[] = [];
  for (const { path, value, position } of settings) {
    const table = path.slice(0, -1).join(".");
    const whole = path.join(".");
    if (unknown.some((name) => `${whole}.`.startsWith(`${name}.`))) continue;
    const add = (problem: Problem) => problems.push({ position, key: whole, ...problem });
    if (isKnown(whole)) {
      if (value.type === "table") continue;
      add({ message: `${whole} must be a table`, hint: `begin it with the line [${whole}]` });
      continue;
    }
    if (unchecked.includes(table)) continue;
    const options = Object.entries<Option<unknown>>(tables.get(table) ?? {});
    const found = options.find(([, option]) => keyOf(option) === path.at(-1));
    const missing = value.type === "table" && !found ? whole : tables.has(table) ? "" : table;
    if (missing !== "") {
      unknown.push(missing);
      const hint = didYouMean(missing, names, `there are ${list(names)}`, (name) => `[${name}]`);
      add({ message: `there is no table [${missing}]`, hint });
    } else if (!found) {
      add(unknownKey(path.at(-1)!, table, { tables, verbOf }));
    } else {
      const [key, option] = found;
      const texts = textsOf(option, value, whole);
      if ("message" in texts) add(texts);
      else sources.get(table)?.set(key, sourceOf(option, texts, placeOf(file, position), file));
    }
  }
  return { sources, problems };
}

/** Returns the name of an option in a file: `dry-run`; undefined for an argument. */
export function keyOf({ names, place }: Option<unknown>): string | undefined {
  return names.length === 0 || place === "none" ? undefined : longName(names).slice(2);
}

function unknownKey(key: string, table: string, { tables, verbOf }: Schema): Problem {
  const inTable = table === "" ? "" : ` in [${table}]`;
  const message = `there is no option ${JSON.stringify(key)}${inTable}`;
  const optionsOf = (name: string) => Object.values<Option<unknown>>(tables.get(name) ?? {});
  const known = (name: string) => optionsOf(name).map(keyOf).filter(isText);
  const elsewhere = [...tables.keys()].filter((name) =>
    name !== table && known(name).includes(key)
  );
  if (elsewhere.length > 0) {
    const [place] = elsewhere;
    const other = elsewhere.length > 1 ? `tables such as [${place}]` : `the table [${place}]`;
    const hint = place === "" ? `${key} stands above the first table` : `${key} stands in ${other}`;
    return { message, hint };
  }
  const line = optionsOf(table)
    .find(({ names, place }) => place === "none" && longName(names) === `--${key}`);
  if (line) {
    return {
      message: `${JSON.stringify(key)} can't be set in a file`,
      hint: `use --${key} on the command line`,
    };
  }
  const near = [...tables.keys()].find((name) =>
    name !== table && similar(key, known(table)).length === 0 && similar(key, known(name)).length
  );
  const place = near ?? table;
  const show = (name: string) => place === table || place === "" ? name : `${name} in [${place}]`;
  const all = known(place);
  const otherwise = all.length > maxListed
    ? `\`barge help ${verbOf(place)}\` lists them`
    : `there are ${list(all)}`;
  return { message, hint: didYouMean(key, all, otherwise, show) };
}

/** Returns the values of an option as texts, or why the file's value is not valid. */
function textsOf(option: Option<unknown>, value: FileValue, key: string): string[] | Problem {
  const { kind, parser: { types = ["string"] as const, wanted } } = option;
  const isList = kind === "values";
  const items = isList && value.type === "array" ? value.items : [value];
  const isAllowed = (type: string) => (types as readonly string[]).includes(type);
  const other = items.find(({ type }) => !isAllowed(type));
  if (other) {
    const one = list(types.map((type) => typeNames[type]), "or");
    const allowed = isList ? `${one}, or an array of these` : one;
    const what = kind === "flag" || wanted === "text" ? allowed : `${allowed}: ${wanted}`;
    return { message: `${key} is ${typeNames[other.type]}, and must be ${what}` };
  }
  const texts = items.map(({ text }) => text);
  for (const text of texts) {
    const problem = faultOf(option, text);
    if (problem) return { ...problem, message: `${key}: ${problem.message}` };
  }
  return texts;
}

function faultOf({ parser }: Option<unknown>, text: string): Problem | undefined {
  try {
    if (parser.parse(text) !== undefined) return undefined;
    return { message: `${JSON.stringify(text)} is not ${parser.wanted}` };
  } catch (error) {
    if (!(error instanceof BargeError)) throw error;
    return { message: error.message, hint: error.hint };
  }
}

/** Paths in a file belong to its folder, or to the home if they begin with `~/`. */
function sourceOf(
  { parser: { suggest } }: Option<unknown>,
  texts: readonly string[],
  at: string,
  file: string,
): Source {
  const isPath = suggest === "any" || suggest === "directory";
  const home = Deno.env.get("HOME") || Deno.env.get("USERPROFILE");
  const absolute = (text: string) =>
    text === "-" // standard input
      ? text
      : resolve(dirname(file), home ? text.replace(/^~(?=\/)/, () => home) : text);
  return { origin: "file", at, texts: isPath ? texts.map(absolute) : texts };
}

const typeNames: Readonly<Record<ScalarType | FileValue["type"], string>> = {
  string: "a string",
  integer: "an integer",
  float: "a number with a fraction",
  boolean: "true or false",
  array: "an array",
  table: "a table",
  other: "of another type",
};

function list(words: readonly string[], joint = "and"): string {
  return words.length < 2
    ? words.join()
    : `${words.slice(0, -1).join(", ")} ${joint} ${words.at(-1)}`;
}

function isText(value: string | undefined): value is string {
  return value !== undefined;
}
