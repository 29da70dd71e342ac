/** Parsers of single values, as options and arguments take them: sizes, addresses, counts. */
import { dayMs, hourMs } from "../../core/duration.ts";
import { parseDay } from "../../core/protocol/time.ts";
import { formatLimit, parseSize } from "../../core/size.ts";
import { type Address, formatAddress, parseAddress, unixPeer } from "../../core/net/address.ts";

/** Reads one value from text. */
export interface ValueParser<T> {
  /** The value's name in usage lines and help: `SIZE`. */
  readonly metavar: string;
  /** The valid values, for error messages: "a size like 20GiB". */
  readonly wanted: string;
  /** Returns undefined for text that is not valid. */
  readonly parse: (text: string) => T | undefined;
  /** The words that completion suggests, or the kind of local path. */
  readonly suggest?: readonly string[] | "any" | "directory";
  /** The types that the value may have in a configuration file. Default: a string. */
  readonly types?: readonly ScalarType[];
  /** Returns a value as text, if it is not a text, a number or a yes or no. */
  format?(value: T): string;
}

/** The type of a single value in a configuration file. */
export type ScalarType = "string" | "integer" | "float" | "boolean";

export function valueParser<T>(
  metavar: string,
  parse: (text: string) => T | undefined,
  wanted: string,
): ValueParser<T> {
  return { metavar, wanted, parse };
}

/** Any text. */
export function plain(metavar: string): ValueParser<string> {
  return valueParser(metavar, (text) => text, "text");
}

/** A local path, which shells complete. */
export function path(metavar: string, suggest: "any" | "directory" = "any"): ValueParser<string> {
  return { ...plain(metavar), suggest };
}

export function oneOf<const T extends string>(...words: readonly T[]): ValueParser<T> {
  const parse = (text: string) => words.find((word) => word === text);
  return { ...valueParser(words.join("|"), parse, words.join(" or ")), suggest: words };
}

const yes = ["1", "true", "yes", "on"];
const no = ["0", "false", "no", "off"];

/** A flag's value in the environment, in upper or lower case. */
export const yesOrNo: ValueParser<boolean> = {
  ...valueParser(
    "",
    (text) => {
      const word = text.toLowerCase();
      return yes.includes(word) ? true : no.includes(word) ? false : undefined;
    },
    [...yes, ...no].join(", "),
  ),
  types: ["boolean"],
};

/** A value, or null for a word such as `none`. */
function orWord<T>(word: string, parser: ValueParser<T>): ValueParser<T | null> {
  const { metavar, parse, wanted, types = [], format = String } = parser;
  const read = (text: string) => text === word ? null : parse(text);
  return {
    ...valueParser(`${metavar}|${word}`, read, `${wanted}, or \`${word}\``),
    types: [...new Set<ScalarType>([...types, "string"])],
    format: (value) => value === null ? word : format(value),
  };
}

/** A size in bytes. */
export function size(): ValueParser<number> {
  const parser = valueParser("SIZE", parseSize, "a size like 500k, 1.5MB or 20GiB");
  return { ...parser, types: ["integer", "string"], format: formatLimit };
}

/** A size in bytes, or null for `none`. */
export const sizeOrNone = () => orWord("none", size());

/** A whole number in a range. */
export function count(metavar: string, min = 1, max = 1_000_000): ValueParser<number> {
  const parse = (text: string) => {
    const n = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    return n >= min && n <= max ? n : undefined;
  };
  return {
    ...valueParser(metavar, parse, `a whole number from ${min} to ${max}`),
    types: ["integer"],
  };
}

/** A whole number of up to 15 digits, or null for `none`. */
export function countOrNone(): ValueParser<number | null> {
  const parse = (text: string) => /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  const number = valueParser("N", parse, "a number like 200000");
  return orWord("none", { ...number, types: ["integer"] });
}

/** A time in seconds, which may have a fraction. */
export function seconds(): ValueParser<number> {
  const parse = (text: string) => /^\d{1,7}(\.\d{1,3})?$/.test(text) ? Number(text) : undefined;
  return {
    ...valueParser("SECONDS", parse, "a number of seconds"),
    types: ["integer", "float"],
  };
}

const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: hourMs,
  d: dayMs,
  w: 7 * dayMs,
};

/** Returns the milliseconds of a span like `90m`, `12h`, `30d` or `2w`; undefined for another text. */
export function parseSpan(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  return unit === undefined ? undefined : Number(amount) * unitMs[unit];
}

/** A span in ms; null for `off`. */
export function spanOrOff(): ValueParser<number | null> {
  const parse = (text: string) => parseSpan(text) || undefined;
  const format = (ms: number) => {
    const unit = Object.keys(unitMs).findLast((unit) => ms % unitMs[unit] === 0)!;
    return `${ms / unitMs[unit]}${unit}`;
  };
  return orWord("off", { ...valueParser("SPAN", parse, "a span like 12h, 7d or 2w"), format });
}

/**
 * Returns the time at which a token or an account ends, in ms since 1970; undefined for a malformed text.
 *
 * @param text a span from now, the start of a day in UTC, or a time in the format of RFC 3339
 */
export function parseEnd(text: string): number | undefined {
  const span = parseSpan(text);
  return span === undefined ? parseDay(text) : Date.now() + span;
}

/** The time in the future at which a token ends: see {@link parseEnd}. */
export function end(): ValueParser<number> {
  const parse = (text: string) => {
    const time = parseEnd(text);
    return time !== undefined && time > Date.now() ? time : undefined;
  };
  const wanted = "a time in the future: a span like 12h or 90d, or a date like 2027-01-31";
  return valueParser("TIME", parse, wanted);
}

/** The time at which an account ends; null for `none`. */
export function endOrNone(): ValueParser<number | null> {
  const parse = (text: string) => text === "none" ? null : parseEnd(text);
  return valueParser("TIME", parse, "a date like 2027-01-31, a span like 90d, or none");
}

/** A list of words with commas between them. */
export function listOf<const T extends string>(...words: readonly T[]): ValueParser<readonly T[]> {
  const one = oneOf(...words);
  const parse = (text: string) => {
    const parsed = text.split(",").map(one.parse);
    return parsed.includes(undefined) ? undefined : parsed as T[];
  };
  const parser = valueParser("LIST", parse, `a list of ${words.join(", ")}`);
  return { ...parser, format: (list) => list.join(",") };
}

/** An address to connect to. */
export function address(): ValueParser<Address> {
  const parse = (text: string) => {
    const address = listenAddress(text);
    return address?.port === 0 ? undefined : address;
  };
  return valueParser("HOST:PORT", parse, "HOST:PORT like 127.0.0.1:3306");
}

/**
 * An address to listen on, or null for `off`.
 *
 * @param options.unix whether the message for an invalid address offers the path of a Unix socket
 */
export function addressOrOff({ unix = false } = {}): ValueParser<Address | null> {
  const like = `HOST:PORT like 127.0.0.1:7171${unix ? ", or unix:/PATH" : ""}`;
  const address = valueParser("HOST:PORT", listenAddress, like);
  return orWord("off", { ...address, format: formatAddress });
}

function listenAddress(text: string): Address | undefined {
  try {
    return text === unixPeer ? undefined : parseAddress(text);
  } catch {
    return undefined;
  }
}
