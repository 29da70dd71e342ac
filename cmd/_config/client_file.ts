/**
 * The client's configuration file: options for all verbs at the top level, and a table of options for
 * each verb, such as `[put]`.
 */
import type { AnyCommand, Group, Option, Options, Tree, Verb } from "../_term/command.ts";
import { sessionOptions } from "../_client/session.ts";
import { named } from "../_term/command.ts";
import type { Sources } from "../_term/source.ts";
import { checkSettings, type Schema } from "./check.ts";
import { failureOf, type Problem } from "./setting.ts";
import { readConfigText } from "./text.ts";
import { parseToml } from "./toml.ts";

/**
 * Returns the options that the client's file gives a verb. A verb's table overrides the top level. Of the
 * other tables only the names are checked, since their verbs are not loaded.
 *
 * @throws {BargeError} `usage`, with the place in the file; `fatal` or `denied` for an unusable file
 */
export function readClientFile(
  path: string,
  { name, options }: { readonly name: string; readonly options: Options<unknown> },
  tree: Tree,
): Sources {
  const table = name.replaceAll(" ", ".");
  const tables = new Map([["", generalOptions()], [table, options]]);
  const unchecked = verbsOf(tree).map((row) => row.table).filter((other) => other !== table);
  const { sources, problems } = check(path, { tables, unchecked, verbOf });
  if (problems.length > 0) throw failureOf(problems, path, "barge config check --client");
  const general = Array.from(sources.get("") ?? []).filter(([key]) =>
    Object.hasOwn(options, key) && isGeneral(options[key as keyof typeof options])
  );
  return new Map([...general, ...sources.get(table) ?? []]);
}

/** Returns all faults of a client's file. @throws {BargeError} for a file that can't be read */
export async function checkClientFile(path: string, tree: Tree): Promise<readonly Problem[]> {
  const loaded = await Promise.all(
    verbsOf(tree).map(async ({ table, load }) => [table, await load()] as const),
  );
  const clients = loaded.filter(([, { default: command }]) => isClient(command))
    .map(([table, { default: command }]) => [table, command.options] as const);
  return check(path, { tables: new Map([["", generalOptions()], ...clients]), verbOf }).problems;
}

/** Returns whether a verb reads the client's file. */
export function isClient({ options }: AnyCommand): boolean {
  return Object.values<Option<unknown>>(options).some(isGeneral);
}

function check(path: string, schema: Schema) {
  const parsed = parseToml(readConfigText(path));
  if ("settings" in parsed) return checkSettings(parsed.settings, schema, path);
  return { sources: new Map<string, Sources>(), problems: [parsed.problem] };
}

function isGeneral({ place }: Option<unknown>): boolean {
  return place === "general";
}

function generalOptions(): Options<unknown> {
  return named(sessionOptions) as Options<unknown>;
}

/** Returns the verb of a table. */
function verbOf(table: string): string {
  return table.replaceAll(".", " ");
}

/** Returns the verbs of the tree, with the names of their tables. */
function verbsOf(tree: Tree, above = ""): { table: string; load: Verb["load"] }[] {
  return Object.entries<Partial<Verb & Group>>(tree).flatMap(([name, { load, verbs }]) => [
    ...(load ? [{ table: above + name, load }] : []),
    ...(verbs ? verbsOf(verbs, `${above}${name}.`) : []),
  ]);
}
