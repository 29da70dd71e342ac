/** Reads a verb's command line. */
import { BargeError } from "../../core/error.ts";
import {
  type AnyCommand,
  type Command,
  longName,
  type Option,
  usageOf,
  variableOf,
} from "./command.ts";
import { isLikeAddress } from "./server_address.ts";
import { similar, suggestion } from "./similar.ts";
import type { Source, Sources } from "./source.ts";

/** Returns whether a command line asks for help. Words behind `--` do not count. */
export function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  const own = end < 0 ? args : args.slice(0, end);
  return own.includes("--help") || own.includes("-h");
}

/**
 * Reads the options and arguments of a verb from the command line and the environment.
 *
 * @param name the verb, for instance `user add`
 * @throws {BargeError} `usage`
 */
export function parseArgs<T>(name: string, command: Command<T>, args: readonly string[]): T {
  return valuesOf(name, command, givenOf(name, command, args));
}

/**
 * Returns the values of a verb's options and arguments.
 *
 * @throws {BargeError} `usage` for a value that is not valid
 */
export function valuesOf<T>(name: string, { options }: Command<T>, given: Sources): T {
  const values = Object.entries<Option<unknown>>(options).map(([key, option]) => {
    const source = given.get(key);
    const read = () =>
      source || !option.fallback
        ? option.parse(source?.texts ?? [], source?.at)
        : option.fallback();
    return [key, explained(name, read)];
  });
  return Object.fromEntries(values) as T;
}

/**
 * Returns what the command line and the environment give for each option and argument, by its key.
 *
 * @throws {BargeError} `usage` for words that the verb does not take
 */
export function givenOf(name: string, command: AnyCommand, args: readonly string[]): Sources {
  const options = Object.entries<Option<unknown>>(command.options);
  return explained(name, () => {
    const texts = sortWords(command, args);
    if (options.some(([, option]) => textsOf(texts, option).length < option.min)) {
      throw usage(`${usageOf(command)}: too few arguments`);
    }
    const sources = options.flatMap(([key, option]): [string, Source][] => {
      const source = sourceOf(option, textsOf(texts, option));
      return source ? [[key, source]] : [];
    });
    return new Map(sources);
  });
}

/** Returns the source of an option or argument; undefined if it is not given. */
function sourceOf({ kind, names }: Option<unknown>, texts: readonly string[]): Source | undefined {
  const at = names.length === 0 ? undefined : `\`${longName(names)}\``;
  if (texts.length > 0) return { origin: "command line", at, texts };
  const variable = names.length === 0 ? undefined : variableOf(names);
  const text = variable && Deno.env.get(variable);
  if (!text) return undefined;
  const lines = kind === "values" ? text.split("\n").filter(Boolean) : [text];
  return { origin: "environment", at: variable, texts: lines };
}

/** Adds the verb and where its options are explained to a failure. */
function explained<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof BargeError)) throw error;
    throw error.with({ op: name, hint: `\`barge ${name} --help\` lists the options` });
  }
}

/** The words of a command line by the option or argument that they belong to. */
type Texts = ReadonlyMap<Option<unknown>, readonly string[]>;

function textsOf(texts: Texts, option: Option<unknown>): readonly string[] {
  return texts.get(option) ?? [];
}

function sortWords(command: AnyCommand, args: readonly string[]): Texts {
  const options = Object.values<Option<unknown>>(command.options);
  const texts = new Map<Option<unknown>, string[]>();
  const named = new Map(options.flatMap((option) => option.names.map((name) => [name, option])));
  const places = options.filter(({ names }) => names.length === 0);
  const take = (option: Option<unknown>, text: string, word: string) => {
    const list = texts.get(option) ?? [];
    const once = option.kind === "flag" || option.kind === "value";
    if (once && list.length > 0) throw usage(`\`${word}\` is given more than once`);
    texts.set(option, [...list, text]);
  };
  const words = [...args];
  let onlyArguments = false;
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const place = places[0];
    if (place?.kind === "rest") {
      texts.set(place, [word, ...words]);
      break;
    }
    if (onlyArguments || word === "-" || !word.startsWith("-")) {
      if (!place) throw unexpected(word, command);
      take(place, word, word);
      if (place.kind !== "several") places.shift();
    } else if (word === "--") {
      onlyArguments = true;
    } else {
      const [, name, text] = /^(--[^=]*)=(.*)$/s.exec(word) ?? [word, word, undefined];
      const option = named.get(name);
      if (option === undefined) {
        for (const letter of word.slice(1)) {
          const flag = named.get(`-${letter}`);
          if (flag?.kind !== "flag") throw unknownOption(word, command);
          take(flag, "yes", `-${letter}`);
        }
      } else if (option.kind === "flag") {
        take(option, text ?? "yes", name); // `--tls=no` overrides a file and the environment
      } else {
        const value = text ?? words.shift();
        if (value === undefined) throw usage(`\`${name}\` needs a value: ${option.parser.metavar}`);
        take(option, value, name);
      }
    }
  }
  return texts;
}

function unexpected(word: string, { options }: AnyCommand): BargeError {
  const hint = Object.hasOwn(options, "server") && isLikeAddress(word)
    ? `use --server ${word}`
    : undefined; // the caller names the help
  return new BargeError("usage", `unexpected argument: ${JSON.stringify(word)}`, { hint });
}

/** The names of arguments that are file names. */
const fileArguments = /^(PATH|SRC|DEST|FILE)$/;

function unknownOption(word: string, { options, otherVerbs = {} }: AnyCommand): BargeError {
  const all = Object.values<Option<unknown>>(options);
  const name = word.replace(/=.*/s, "");
  const long = [...all.flatMap(({ names }) => names), "--help"].filter((n) => n.startsWith("--"));
  const near = [...similar(name, long), ...long.filter((other) => other.startsWith(`${name}-`))];
  const takesFiles = all.some(({ names, parser }) =>
    names.length === 0 && fileArguments.test(parser.metavar)
  );
  const isLikeOption = /^(--[a-z][a-z-]*|-[a-z])$/i.test(name);
  const hint = Object.hasOwn(otherVerbs, name)
    ? otherVerbs[name as keyof typeof otherVerbs]
    : near.length > 0
    ? suggestion(near.map((option) => `\`${option}\``))
    : takesFiles && !isLikeOption
    ? "names that begin with a dash go behind --"
    : undefined; // the caller names the help
  return new BargeError("usage", `unknown option: ${JSON.stringify(word)}`, { hint });
}

function usage(why: string): BargeError {
  return new BargeError("usage", why);
}
