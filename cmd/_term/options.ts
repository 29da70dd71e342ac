/**
 * Options of the command line. Each has a twin in the environment, named after its first long name:
 * `--dry-run` is BARGE_DRY_RUN. What is on the command line counts more; an empty variable is none.
 * A twin of a flag says yes with 1, true, yes or on, and no with 0, false, no or off.
 */
import type { Message } from "@optique/core/message";
import { multiple, withDefault, WithDefaultError } from "@optique/core/modifiers";
import type { Parser } from "@optique/core/parser";
import { argument as positional, flag as bareFlag, option } from "@optique/core/primitives";
import { string, type ValueParser, type ValueParserResult } from "@optique/core/valueparser";
import { type Address, parseAddress } from "../../core/net/address.ts";
import { parseSize } from "./size.ts";

/** One name, or several: `["-n", "--dry-run"]`. */
type Names = readonly [Name, ...Name[]];
type Name = `--${string}` | `-${string}`;
type Option<T> = Parser<"sync", T, unknown>;

const yes = ["1", "true", "yes", "on"];
const no = ["0", "false", "no", "off"];

/** The variable of an option. */
export function twin(names: readonly string[]): string {
  const long = names.find((name) => name.startsWith("--")) ?? names[0];
  return "BARGE_" + long.replace(/^-+/, "").replaceAll("-", "_").toUpperCase();
}

/** An option without a value. */
export function flag(names: Names, what: string): Option<boolean> {
  return withDefault(
    bareFlag(...names, { description: described(what, names) }),
    () => fromTwin(names, yesOrNo) ?? false,
  );
}

/** An option with a value; undefined when it is not given. */
export function value<T>(
  names: Names,
  parser: ValueParser<"sync", T>,
  what: string,
): Option<T | undefined> {
  return withDefault(
    option(...names, parser, { description: described(what, names) }),
    () => fromTwin(names, (text) => parser.parse(text)),
  );
}

/** An option with a value that is `fallback` when it is not given. */
export function valueOr<T>(
  names: Names,
  parser: ValueParser<"sync", T>,
  fallback: T | (() => T),
  what: string,
): Option<T> {
  return withDefault(
    option(...names, parser, { description: described(what, names) }),
    () =>
      fromTwin(names, (text) => parser.parse(text)) ??
        (fallback instanceof Function ? fallback() : fallback),
  );
}

/** An option that may be given several times; its twin holds one value a line. */
export function values<T>(
  names: Names,
  parser: ValueParser<"sync", T>,
  what: string,
): Option<readonly T[]> {
  const each = (text: string): ValueParserResult<readonly T[]> => {
    const found: T[] = [];
    for (const line of text.split("\n").filter(Boolean)) {
      const result = parser.parse(line);
      if (!result.success) return result;
      found.push(result.value);
    }
    return { success: true, value: found };
  };
  return withDefault(
    multiple(option(...names, parser, { description: described(what, names) }), { min: 1 }),
    () => fromTwin(names, each) ?? [],
  );
}

/** An argument without a dash. */
export function argument(metavar: string, what: string): Option<string> {
  return argumentOf(plain(metavar), what);
}

/** An argument of a certain form. */
export function argumentOf<T>(parser: ValueParser<"sync", T>, what: string): Option<T> {
  const errors = { endOfInput: words(`${parser.metavar} is missing`) };
  return positional(parser, { description: words(what), errors });
}

/** An argument that may be left out. */
export function optionalArgument(metavar: string, what: string): Option<string | undefined> {
  return withDefault(positional(plain(metavar), { description: words(what) }), undefined);
}

/** Several arguments of a certain form, `min` or more. */
export function argsOf<T>(
  parser: ValueParser<"sync", T>,
  what: string,
  min = 1,
): Option<readonly T[]> {
  const errors = { tooFew: words(`${parser.metavar} is missing`) };
  return multiple(positional(parser, { description: words(what) }), { min, errors });
}

/** Several arguments of any form, `min` or more. */
export function args(metavar: string, what: string, min = 1): Option<readonly string[]> {
  return argsOf(plain(metavar), what, min);
}

/** Any text. */
export function plain(metavar: string): ValueParser<"sync", string> {
  return string({ metavar: metavar as "TEXT" });
}

/** A local path, which shells complete. */
export function path(
  metavar: string,
  type: "any" | "directory" = "any",
): ValueParser<"sync", string> {
  return {
    ...plain(metavar),
    *suggest(prefix) {
      yield { kind: "file", type, pattern: prefix };
    },
  };
}

/** A size in bytes, or null for `none`. */
export function sizeOrNone(): ValueParser<"sync", number | null> {
  return valueParser("SIZE|none", null, (text) => text === "none" ? null : parseSize(text), {
    wanted: "a size like 500k, 1.5MB or 20GiB, or `none`",
    format: (size) => size === null ? "none" : String(size),
  });
}

/** A size in bytes. */
export function size(): ValueParser<"sync", number> {
  return valueParser("SIZE", 0, parseSize, { wanted: "a size like 500k, 1.5MB or 20GiB" });
}

/** HOST:PORT, or null for `off`. */
export function addressOrOff(): ValueParser<"sync", Address | null> {
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
export function addresses(): ValueParser<"sync", Address> {
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
export function seconds(): ValueParser<"sync", number> {
  const read = (text: string) => /^\d{1,7}(\.\d{1,3})?$/.test(text) ? Number(text) : undefined;
  return valueParser("SECONDS", 1, read, { wanted: "a number of seconds" });
}

/** A number of `least` or more. */
export function count(metavar: string, least = 1, most = 1_000_000): ValueParser<"sync", number> {
  const read = (text: string) => {
    const n = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    return n >= least && n <= most ? n : undefined;
  };
  return valueParser(metavar, least, read, { wanted: `a whole number from ${least} to ${most}` });
}

/** One of a few words. */
export function oneOf<const T extends string>(...words: readonly T[]): ValueParser<"sync", T> {
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
): ValueParser<"sync", T> {
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

function defaultData(): string {
  const xdg = Deno.env.get("XDG_DATA_HOME");
  if (xdg?.startsWith("/")) return `${xdg}/barge`;
  const home = Deno.env.get("HOME") || Deno.env.get("USERPROFILE");
  if (home) return `${home}/.local/share/barge`;
  throw new WithDefaultError(words("name the data directory with --data: HOME is not set"));
}

function yesOrNo(text: string): ValueParserResult<boolean> {
  const word = text.toLowerCase();
  if (yes.includes(word)) return { success: true, value: true };
  if (no.includes(word)) return { success: true, value: false };
  const why = `${JSON.stringify(text)} is not ${yes.join(", ")}, ${no.join(", ")}`;
  return { success: false, error: words(why) };
}

function fromTwin<T>(
  names: Names,
  parse: (text: string) => ValueParserResult<T>,
): T | undefined {
  const variable = twin(names);
  const text = Deno.env.get(variable);
  if (text === undefined || text === "") return undefined;
  const result = parse(text);
  if (result.success) return result.value;
  throw new WithDefaultError([...words(`${variable}: `), ...result.error]);
}

function described(what: string, names: Names): Message {
  return [...words(`${what} `), { type: "text", text: `[${twin(names)}]` }];
}

/** Plain words as optique's message. */
export function words(text: string): Message {
  return [{ type: "text", text }];
}
