/**
 * Options of the command line. Each has a twin in the environment, named after its first long name:
 * `--dry-run` is BARGE_DRY_RUN. What is on the command line counts more; an empty variable is none.
 * A twin of a flag says yes with 1, true, yes or on, and no with 0, false, no or off.
 */
import type { Message } from "@optique/core/message";
import type { ValueParser, ValueParserResult } from "@optique/core/valueparser";
import { type Address, parseAddress } from "../../core/net/address.ts";
import { parseSize } from "./size.ts";

/** One name, or several: `["-n", "--dry-run"]`. */
type Names = readonly [Name, ...Name[]];
type Name = `--${string}` | `-${string}`;
type Result<T> = ValueParserResult<T>;
type Parser<T> = ValueParser<"sync", T>;

/**
 * What a verb may be told, as a fact that others read: read.ts to obey a command line, optique.ts to
 * explain what is wrong with it, to print help, and to complete.
 */
export interface Option<T> {
  /** How often it may be given, and where: `optional` and `several` are arguments. */
  readonly kind: "flag" | "value" | "values" | "argument" | "optional" | "several" | "rest";
  /** Its names; an argument has none. */
  readonly names: readonly string[];
  readonly what: string;
  /** Reads one value; that of a flag is not used. */
  readonly parser: Parser<unknown>;
  /** The value of what was given, an empty text each time a flag was; of nothing its default. */
  read(given: readonly string[]): Result<T>;
  /** How many it takes at least. */
  readonly min?: number;
}

/** A verb's options by the names of its values. */
export type Options<T> = { readonly [K in keyof T]: Option<T[K]> };

const yes = ["1", "true", "yes", "on"];
const no = ["0", "false", "no", "off"];

/** The variable of an option. */
export function twin(names: readonly string[]): string {
  const long = names.find((name) => name.startsWith("--")) ?? names[0];
  return "BARGE_" + long.replace(/^-+/, "").replaceAll("-", "_").toUpperCase();
}

/** An option without a value. */
export function flag(names: Names, what: string): Option<boolean> {
  const read = (given: readonly string[]) =>
    given.length > 0 ? ok(true) : fromTwin(names, yesOrNo) ?? ok(false);
  return { kind: "flag", names, what, parser: plain(""), read };
}

/** An option with a value; undefined when it is not given. */
export function value<T>(names: Names, parser: Parser<T>, what: string): Option<T | undefined> {
  return valueOr<T | undefined>(names, parser, undefined, what);
}

/** An option with a value that is `fallback` when it is not given. */
export function valueOr<T>(
  names: Names,
  parser: Parser<T>,
  fallback: T | (() => Result<T>),
  what: string,
): Option<T> {
  const absent = () => fallback instanceof Function ? fallback() : ok(fallback);
  const read = ([text]: readonly string[]) =>
    text !== undefined
      ? parser.parse(text)
      : fromTwin(names, (text) => parser.parse(text)) ?? absent();
  return { kind: "value", names, what, parser, read };
}

/** An option that may be given several times; its twin holds one value a line. */
export function values<T>(names: Names, parser: Parser<T>, what: string): Option<readonly T[]> {
  const lines = (text: string) => each(parser, text.split("\n").filter(Boolean));
  const read = (given: readonly string[]) =>
    given.length > 0 ? each(parser, given) : fromTwin(names, lines) ?? ok([]);
  return { kind: "values", names, what, parser, read };
}

/** An argument without a dash. */
export function argument(metavar: string, what: string): Option<string> {
  return argumentOf(plain(metavar), what);
}

/** An argument of a certain form. */
export function argumentOf<T>(parser: Parser<T>, what: string): Option<T> {
  const read = ([text]: readonly string[]) => text === undefined ? missing : parser.parse(text);
  return { kind: "argument", names: [], what, parser, read };
}

/** An argument that may be left out. */
export function optionalArgument(metavar: string, what: string): Option<string | undefined> {
  const read = ([text]: readonly string[]) => ok(text);
  return { kind: "optional", names: [], what, parser: plain(metavar), read };
}

/** An argument of a certain form that may be left out. */
export function optionalArgumentOf<T>(parser: Parser<T>, what: string): Option<T | undefined> {
  const read = ([text]: readonly string[]) =>
    text === undefined ? ok(undefined) : parser.parse(text);
  return { kind: "optional", names: [], what, parser, read };
}

/** Several arguments of a certain form, `min` or more. */
export function argsOf<T>(parser: Parser<T>, what: string, min = 1): Option<readonly T[]> {
  const read = (given: readonly string[]) => given.length < min ? missing : each(parser, given);
  return { kind: "several", names: [], what, parser, min, read };
}

/** Several arguments of any form, `min` or more. */
export function args(metavar: string, what: string, min = 1): Option<readonly string[]> {
  return argsOf(plain(metavar), what, min);
}

/** All words from there on, whatever they look like. */
export function rest(): Option<readonly string[]> {
  return { kind: "rest", names: [], what: "", parser: plain("WORD"), read: ok };
}

/** Any text. */
export function plain(metavar: string): Parser<string> {
  return valueParser(metavar, "", (text) => text, { wanted: "text" });
}

/** A local path, which shells complete. */
export function path(
  metavar: string,
  type: "any" | "directory" = "any",
): Parser<string> {
  return {
    ...plain(metavar),
    *suggest(prefix) {
      yield { kind: "file", type, pattern: prefix };
    },
  };
}

/** A size in bytes, or null for `none`. */
export function sizeOrNone(): Parser<number | null> {
  return valueParser("SIZE|none", null, (text) => text === "none" ? null : parseSize(text), {
    wanted: "a size like 500k, 1.5MB or 20GiB, or `none`",
    format: (size) => size === null ? "none" : String(size),
  });
}

/** A number of entries, or null for `none`. */
export function countOrNone(): Parser<number | null> {
  const read = (text: string) => {
    if (text === "none") return null;
    return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  };
  return valueParser("N|none", null, read, {
    wanted: "a number like 200000, or `none`",
    format: (count) => count === null ? "none" : String(count),
  });
}

/** A size in bytes. */
export function size(): Parser<number> {
  return valueParser("SIZE", 0, parseSize, { wanted: "a size like 500k, 1.5MB or 20GiB" });
}

/** HOST:PORT, or null for `off`. */
export function addressOrOff(): Parser<Address | null> {
  const read = (text: string) => {
    if (text === "off") return null;
    try {
      return parseAddress(text);
    } catch {
      return undefined;
    }
  };
  return valueParser("HOST:PORT|off", null, read, {
    wanted: "HOST:PORT like 127.0.0.1:7171, or `off`",
    format: (a) => a === null ? "off" : `${a.host}:${a.port}`,
  });
}

/** HOST:PORT. */
export function addresses(): Parser<Address> {
  const read = (text: string) => {
    try {
      const address = parseAddress(text);
      return address.port === 0 ? undefined : address;
    } catch {
      return undefined;
    }
  };
  return valueParser("HOST:PORT", { host: "127.0.0.1", port: 1 }, read, {
    wanted: "HOST:PORT like 127.0.0.1:3306",
    format: (a) => `${a.host}:${a.port}`,
  });
}

/** A time in seconds, which may have a fraction. */
export function seconds(): Parser<number> {
  const read = (text: string) => /^\d{1,7}(\.\d{1,3})?$/.test(text) ? Number(text) : undefined;
  return valueParser("SECONDS", 1, read, { wanted: "a number of seconds" });
}

/** A number of `least` or more. */
export function count(metavar: string, least = 1, most = 1_000_000): Parser<number> {
  const read = (text: string) => {
    const n = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    return n >= least && n <= most ? n : undefined;
  };
  return valueParser(metavar, least, read, { wanted: `a whole number from ${least} to ${most}` });
}

/** One of a few words. */
export function oneOf<const T extends string>(...words: readonly T[]): Parser<T> {
  const parser = valueParser<T>(
    words.join("|"),
    words[0],
    (text) => words.find((w) => w === text),
    {
      wanted: words.join(" or "),
    },
  );
  return {
    ...parser,
    *suggest(prefix) {
      for (const word of words) if (word.startsWith(prefix)) yield { kind: "literal", text: word };
    },
  };
}

/**
 * A parser of one value.
 *
 * @param read gives undefined for what is none
 */
export function valueParser<T>(
  metavar: string,
  placeholder: T,
  read: (text: string) => T | undefined,
  { wanted, format = String }: { wanted: string; format?: (value: T) => string },
): Parser<T> {
  return {
    mode: "sync",
    metavar: metavar as "VALUE",
    placeholder,
    parse(text) {
      const value = read(text);
      if (value !== undefined) return { success: true, value };
      return { success: false, error: words(`${JSON.stringify(text)} is not ${wanted}`) };
    },
    format,
  };
}

/** The options that every verb has. */
export const common = {
  json: flag(["--json"], "Print JSON, one object or one a line, with fixed field names"),
  debug: flag(["--debug"], "Show where in barge a failure came from"),
};

/** Where the accounts and files of a server are, and the default of it. */
export function dataOption(): Option<string> {
  return valueOr(
    ["--data"],
    path("DIR", "directory"),
    defaultData,
    "The data directory. Default: $XDG_DATA_HOME/barge, or ~/.local/share/barge",
  );
}

/** Returns whether the command line or BARGE_DATA names the data directory. */
export function isDataNamed(): boolean {
  return Boolean(Deno.env.get(twin(["--data"]))) ||
    Deno.args.some((arg) => /^--data(=|$)/.test(arg));
}

function defaultData(): Result<string> {
  const xdg = Deno.env.get("XDG_DATA_HOME");
  if (xdg?.startsWith("/")) return ok(`${xdg}/barge`);
  const home = Deno.env.get("HOME") || Deno.env.get("USERPROFILE");
  if (home) return ok(`${home}/.local/share/barge`);
  return { success: false, error: words("name the data directory with --data: HOME is not set") };
}

function yesOrNo(text: string): Result<boolean> {
  const word = text.toLowerCase();
  if (yes.includes(word)) return ok(true);
  if (no.includes(word)) return ok(false);
  const why = `${JSON.stringify(text)} is not ${yes.join(", ")}, ${no.join(", ")}`;
  return { success: false, error: words(why) };
}

/** What the environment says; undefined: nothing. */
function fromTwin<T>(names: Names, parse: (text: string) => Result<T>): Result<T> | undefined {
  const variable = twin(names);
  const text = Deno.env.get(variable);
  if (text === undefined || text === "") return undefined;
  const result = parse(text);
  if (result.success) return result;
  return { success: false, error: [...words(`${variable}: `), ...result.error] };
}

function each<T>(parser: Parser<T>, texts: readonly string[]): Result<readonly T[]> {
  const found: T[] = [];
  for (const text of texts) {
    const result = parser.parse(text);
    if (!result.success) return result;
    found.push(result.value);
  }
  return ok(found);
}

function ok<T>(value: T): Result<T> {
  return { success: true, value };
}

/** Never shown: optique.ts says which argument is missing. */
const missing = { success: false, error: words("an argument is missing") } as const;

/** Plain words as optique's message. */
export function words(text: string): Message {
  return [{ type: "text", text }];
}
