/**
 * Reads a command line that is in order, which is nearly every one, in microseconds. Of all others
 * it makes nothing: optique.ts, whose loading alone costs 40 ms, then says what is wrong with them.
 * Whatever this accepts means the same to both; tests/cmd/read_test.ts compares them.
 */
import type { Option, Options } from "./options.ts";

/**
 * The values of a verb's options and arguments.
 *
 * @returns undefined where a word is not known, not in its place, or not of its form
 *
 * @example
 * ```ts
 * import { args, flag } from "./options.ts";
 * import { read } from "./read.ts";
 * const options = { paths: args("PATH", "what"), all: flag(["-a", "--all"], "all of it") };
 * if (!read(options, ["-a", "x"])?.all || read(options, ["--al", "x"])) throw new Error();
 * ```
 */
export function read<T>(options: Options<T>, args: readonly string[]): T | undefined {
  const entries = Object.entries<Option<unknown>>(options);
  const given = sort(entries.map(([, option]) => option), args);
  if (!given) return undefined;
  const values: Record<string, unknown> = {};
  for (const [name, option] of entries) {
    const result = option.read(given.get(option) ?? []);
    if (!result.success) return undefined;
    values[name] = result.value;
  }
  return values as T;
}

type Given = Map<Option<unknown>, string[]>;

/** Which words belong to which option. */
function sort(options: readonly Option<unknown>[], args: readonly string[]): Given | undefined {
  const named = new Map(options.flatMap((option) => option.names.map((name) => [name, option])));
  const places = options.filter(({ names }) => names.length === 0);
  // Words all belong to the last place: there is more than one way to tell them apart else.
  if (places.slice(0, -1).some(({ kind }) => kind !== "argument")) return undefined;
  const given: Given = new Map();
  const add = (option: Option<unknown> | undefined, text: string | undefined): boolean => {
    if (!option || text === undefined) return false;
    const texts = given.get(option);
    if (!texts) given.set(option, [text]);
    else if (option.kind === "values" || option.kind === "several") texts.push(text);
    else return false;
    return true;
  };
  let place = 0;
  let ended = false;
  for (let at = 0; at < args.length; at++) {
    const word = args[at];
    if (!ended && word === "--") {
      // This word belongs to the last place as well.
      if (places.at(-1)?.kind === "rest") return undefined;
      ended = true;
    } else if (ended || word === "-" || !word.startsWith("-")) {
      const option = places[Math.min(place++, places.length - 1)];
      if (option?.kind === "rest" || !add(option, word)) return undefined;
    } else {
      const [name, text] = parted(word);
      const option = named.get(name);
      if (option?.kind === "flag") {
        if (text !== undefined || !add(option, "")) return undefined;
      } else if (option) {
        if (!add(option, text ?? args[++at])) return undefined;
      } else {
        // Several short flags in one word. Nothing else begins with one dash and has more letters.
        const flags = [...word.slice(1)].map((letter) => named.get(`-${letter}`));
        if (!flags.every((flag) => flag?.kind === "flag" && add(flag, ""))) return undefined;
      }
    }
  }
  return given;
}

/** `--name=value` in two; any other word is a name. */
function parted(word: string): [name: string, text: string | undefined] {
  const at = word.startsWith("--") ? word.indexOf("=") : -1;
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}
