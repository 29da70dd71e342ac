/** Reads the options of a verb from all sources: files, the environment and the command line. */
import type { AnyCommand, Option, Options, Tree } from "../_term/command.ts";
import { givenOf, valuesOf } from "../_term/parse.ts";
import { origins, type Reading, type Source, type Sources } from "../_term/source.ts";
import { yesOrNo } from "../_term/value.ts";
import { existingClientFile } from "./path.ts";

/**
 * Reads a verb's options and arguments.
 *
 * @param name the verb, for instance `user add`
 * @param args the words behind it
 * @param tree all verbs: the client's file may have a table for each of them
 * @throws {BargeError} `usage`; `fatal` or `denied` for a file that can't be used
 */
export async function readCommand(
  name: string,
  command: AnyCommand,
  args: readonly string[],
  tree: Tree,
): Promise<Reading<unknown>> {
  const given = givenOf(name, command, args);
  const files = await command.readFiles?.(given, command.options) ??
    await clientSources(name, command, tree);
  const all = files ? new Map([...files, ...given]) : given;
  const sources = withoutExcluded(command.options, all);
  return { values: valuesOf(name, command, sources), sources };
}

/**
 * Returns the sources without those of options that an option of a stronger source excludes:
 * `--plaintext` on the command line overrides `tls = true` in a file. Options that need an excluded one go with it.
 */
function withoutExcluded(options: Options<unknown>, sources: Sources): Sources {
  const rows = Object.entries<Option<unknown>>(options);
  const strengths = new Map(
    rows.map(([key, option]) => [key, strengthOf(option, sources.get(key))]),
  );
  const pairs = rows
    .flatMap(([key, { excludes = [] }]) => excludes.map((other) => [key, other] as const));
  const overridden = pairs.flatMap(([a, b]) => {
    const [first = 0, second = 0] = [strengths.get(a), strengths.get(b)];
    if (first === second || first === 0 || second === 0) return [];
    return first < second ? a : b;
  });
  const isInForce = (key: string) => sources.has(key) && !overridden.includes(key);
  /** Whether the option needs one of its source or a stronger one that is overridden, which makes it void, too. */
  const isVoid = (key: string) => {
    const { needs = [] } = (options as Record<string, Option<unknown>>)[key];
    const isOverridden = (other: string) =>
      overridden.includes(other) && strengths.get(key)! <= strengths.get(other)!;
    return needs.some(isOverridden) && !needs.some(isInForce);
  };
  return new Map([...sources].filter(([key]) => isInForce(key) && !isVoid(key)));
}

/** Returns the strength of an option's source; 0 for an option that is not given, or is turned off. */
function strengthOf({ kind }: Option<unknown>, source: Source | undefined): number {
  const isOff = kind === "flag" && source && yesOrNo.parse(source.texts[0]) === false;
  return source && !isOff ? origins.indexOf(source.origin) : 0;
}

/** The parser of the file is loaded only if the file exists: cron starts many clients. */
async function clientSources(name: string, { options }: AnyCommand, tree: Tree) {
  const isClient = Object.values<Option<unknown>>(options).some(({ place }) => place === "general");
  const path = isClient ? existingClientFile() : undefined;
  if (path === undefined) return undefined;
  const { readClientFile } = await import("./client_file.ts");
  return readClientFile(path, { name, options }, tree);
}
