/**
 * What optique is for: it says what is wrong with a command line and what may have been meant, and
 * knows what help and completion are to show. A command line that is in order does without it.
 */
import { object } from "@optique/core/constructs";
import { formatMessage, type Message } from "@optique/core/message";
import { multiple, withDefault, WithDefaultError } from "@optique/core/modifiers";
import { parse, type Parser } from "@optique/core/parser";
import { argument, flag, option, passThrough } from "@optique/core/primitives";
import { BargeError } from "../../core/error.ts";
import type { AnyCommand } from "./command.ts";
import { type Option, type Options, twin, words } from "./options.ts";
import { similar } from "./similar.ts";

type Sync<T> = Parser<"sync", T, unknown>;

/** A verb's options as optique's parser. */
export function parserOf<T>(options: Options<T>): Sync<T> {
  const parsers = Object.entries<Option<unknown>>(options).map(([name, option]) =>
    [name, one(option)] as const
  );
  return object(Object.fromEntries(parsers)) as Sync<T>;
}

/**
 * Reads a command line that read.ts could not.
 *
 * @throws {BargeError} `usage`
 */
export function parseAll(name: string, command: AnyCommand, args: readonly string[]): unknown {
  const result = parse(parserOf(command.options), [...args]);
  if (result.success) return result.value;
  let [why, more] = plainWords(result.error);
  if (why === "missing required argument") why = `${command.usage}: too few arguments`;
  const dash = /^unexpected option.*"-/.test(why)
    ? "names that begin with a dash go behind --; "
    : "";
  const mistyped = /^(?:unexpected|unknown|no matched) option[^"]*"(--?[^"=]+)/.exec(why)?.[1];
  if (mistyped !== undefined) more = suggestion(mistyped, command.options);
  const hint = more || `${dash}\`barge ${name} --help\` tells more`;
  throw new BargeError("usage", why, { op: name, hint });
}

/** Returns the options of this verb with a similar spelling; empty: none. */
function suggestion(word: string, options: Options<unknown>): string {
  const known = Object.values<Option<unknown>>(options).flatMap(({ names }) => names);
  const near = similar(word, [...known.filter((name) => name.startsWith("--")), "--help"]);
  return near.length > 0 ? `did you mean ${near.map((name) => `\`${name}\``).join(" or ")}?` : "";
}

function one(declared: Option<unknown>): Sync<unknown> {
  const { kind, names, what, parser, min } = declared;
  const absent = () => {
    const result = declared.read([]);
    if (result.success) return result.value;
    throw new WithDefaultError(result.error);
  };
  const plainly = { description: words(what) };
  const missing = words(`${parser.metavar} is missing`);
  switch (kind) {
    case "flag":
      return withDefault(flag(...namesOf(names), described(what, names)), absent);
    case "value":
      return withDefault(option(...namesOf(names), parser, described(what, names)), absent);
    case "values": {
      const each = option(...namesOf(names), parser, described(what, names));
      return withDefault(multiple(each, { min: 1 }), absent);
    }
    case "argument":
      return argument(parser, { ...plainly, errors: { endOfInput: missing } });
    case "optional":
      return withDefault(argument(parser, plainly), undefined);
    case "several":
      return multiple(argument(parser, plainly), { min, errors: { tooFew: missing } });
    case "rest":
      return passThrough({ format: "greedy", hidden: true });
  }
}

/** They were checked where they were declared. */
function namesOf(names: readonly string[]) {
  return names as unknown as readonly [`--${string}`, ...`--${string}`[]];
}

function described(what: string, names: readonly string[]): { description: Message } {
  return { description: [...words(`${what} `), { type: "text", text: `[${twin(names)}]` }] };
}

/** Optique's sentences in the form of ours: lower case, no full stop, suggestions apart. */
function plainWords(error: Message): [why: string, more: string] {
  const text = formatMessage(error, { quotes: true, colors: false });
  const [first, ...rest] = text.split(/\n+/).map((line) => line.trim()).filter(Boolean);
  const [title = "", ...near] = rest;
  const more = /^did you mean/i.test(title) && near.length > 0
    ? `did you mean ${near.join(" or ")}?`
    : rest.join(" ");
  return [lower(first.replace(/\.$/, "")), lower(more)];
}

function lower(sentence: string): string {
  return sentence.replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase());
}
