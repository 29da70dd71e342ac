/** Suggests words of a verb's command line, for the completion of shells. */
import { type Option, type Options, variableOf } from "./command.ts";
import type { ValueParser } from "./value.ts";

/** A word that may stand on the command line, or the kind of local path that the shell completes. */
export type Suggestion =
  | { readonly kind: "literal"; readonly text: string; readonly description?: string }
  | {
    readonly kind: "file";
    readonly type: "any" | "directory";
    /** The word that is completed, with `prefix` at its start. */
    readonly pattern: string;
    /** `--name=`, which is no part of the path. */
    readonly prefix?: string;
  };

/**
 * Returns the suggestions for the last of the words behind a verb.
 *
 * @example
 * ```ts
 * import { flag, named, value } from "./command.ts";
 * import { suggestWords } from "./suggest.ts";
 * import { oneOf } from "./value.ts";
 * const options = named({ role: value(oneOf("user", "admin"), "role"), all: flag("all", "-a") });
 * const [suggestion] = suggestWords(options, ["-a", "--role", "a"]);
 * if (suggestion.kind !== "literal" || suggestion.text !== "admin") throw new Error();
 * ```
 */
export function suggestWords(options: Options<unknown>, words: readonly string[]): Suggestion[] {
  const all = Object.values<Option<unknown>>(options);
  const places = all.filter(({ names }) => names.length === 0);
  const named = (word: string) =>
    all.find(({ kind, names }) => kind !== "flag" && names.includes(word));
  const last = words.at(-1) ?? "";
  let open: Option<unknown> | undefined;
  let onlyArguments = false;
  for (const word of words.slice(0, -1)) {
    if (open) open = undefined;
    else if (word === "--") onlyArguments = true;
    else if (!onlyArguments && word.startsWith("-") && word !== "-") open = named(word);
    else if (places[0]?.kind !== "several") places.shift();
  }
  if (open) return suggestValues(open.parser, last);
  if (!onlyArguments && last.startsWith("-")) {
    const [, name, text] = /^(--[^=]+)=(.*)$/s.exec(last) ?? [];
    const option = name === undefined ? undefined : named(name);
    if (option) return suggestValues(option.parser, text, `${name}=`);
    return all.flatMap((option) => suggestNames(option, last));
  }
  return places.length > 0 ? suggestValues(places[0].parser, last) : [];
}

/** A lone dash suggests short names, two dashes long ones. */
function suggestNames({ names, help }: Option<unknown>, start: string): Suggestion[] {
  return names
    .filter((name) => name.startsWith(start) && (start !== "-" || !name.startsWith("--")))
    .map((text) => ({ kind: "literal", text, description: `${help} [${variableOf(names)}]` }));
}

function suggestValues(
  { suggest }: ValueParser<unknown>,
  text: string,
  prefix = "",
): Suggestion[] {
  if (suggest === undefined) return [];
  if (typeof suggest === "string") {
    return [{ kind: "file", type: suggest, pattern: prefix + text, prefix }];
  }
  return suggest.filter((word) => word.startsWith(text))
    .map((word) => ({ kind: "literal", text: prefix + word }));
}
