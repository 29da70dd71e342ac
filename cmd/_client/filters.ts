/** The options that choose files, the same for every verb that goes through a tree. */
import type { FilterOptions } from "../../core/client/filter/options.ts";
import { BargeError, typed } from "../../core/error.ts";
import { flag, marked, value, values, type ValuesOf } from "../_term/command.ts";
import { moment } from "../_term/moment.ts";
import { path, plain, size } from "../_term/value.ts";

/** The filters of all verbs that go through a tree. */
export const choiceOptions = {
  exclude: values(
    plain("GLOB"),
    "Leave out names like *.o, /build/, docs/**; may be repeated; the variable has one on each line",
  ),
  include: values(
    plain("GLOB"),
    "Take only files whose name, or the name of a folder above them, matches; may be repeated",
  ),
  filterFrom: values(
    path("FILE"),
    "Leave out the names that the rules in FILE match, which have the form of .gitignore",
  ),
  minSize: value(size(), "Take only files of at least this size"),
  maxSize: value(size(), "Take only files of at most this size"),
  newer: value(moment(), "Take only files modified after this: an age like 12h or 30d, or a date"),
  older: value(moment(), "Take only files modified before this"),
};

/** The filters, and the list of names, which `find`, `du` and `sum` do not take. */
export const filterOptions = {
  ...choiceOptions,
  ...marked({
    filesFrom: value(
      path("FILE"),
      "Take only the files, and the contents of the folders, that FILE names, one on each line; - " +
        "is standard input",
    ),
  }, { excludes: ["delete"] }),
  null: flag("The names of --files-from end with a NUL, as `find -print0` prints them", "-0"),
};

export type FilterChoice =
  & ValuesOf<typeof choiceOptions>
  & Partial<ValuesOf<typeof filterOptions>>;

/** Returns whether any of the options is given. */
export function isFiltered(choice: FilterChoice): boolean {
  const { exclude, include, filterFrom, minSize, maxSize, newer, older, filesFrom } = choice;
  const single = [minSize, maxSize, newer, older, filesFrom];
  return exclude.length + include.length + filterFrom.length > 0 ||
    single.some((option) => option !== undefined);
}

/**
 * Checks the options together, before a connection is made.
 *
 * @param sources the files or folders that the names of `--files-from` could be relative to
 * @param stdin what else reads standard input; undefined: nothing does
 * @throws {BargeError} `usage`
 */
export function checkFilter(
  { filesFrom, null: isNull }: FilterChoice,
  sources: readonly string[],
  stdin: string | undefined,
): void {
  if (filesFrom === undefined) {
    if (isNull) throw new BargeError("usage", "-0 needs --files-from");
    return;
  }
  if (sources.length > 1) {
    throw new BargeError("usage", "--files-from takes one folder, which its names are relative to");
  }
  if (filesFrom === "-" && stdin !== undefined) {
    throw new BargeError("usage", `standard input can't be both ${stdin} and the list of names`);
  }
}

/**
 * Returns the filter that the options describe, and reads its files.
 *
 * @param root the folder that the names of `--files-from` are relative to; "" without the option
 * @throws {BargeError} `usage` for a name that is not below the folder; the failure to read a file
 */
export async function readFilter(choice: FilterChoice, root = ""): Promise<FilterOptions> {
  const { exclude, include, filterFrom, minSize, maxSize, newer, older, filesFrom } = choice;
  const rules = filterFrom.map((file) => readText("--filter-from", file));
  const names = filesFrom === undefined
    ? undefined
    : await readNames(filesFrom, choice.null ? "\0" : "\n", root);
  return { exclude, include, rules, minSize, maxSize, newer, older, names };
}

async function readNames(file: string, end: string, root: string): Promise<string[]> {
  const { relativeName } = await import("../../core/client/filter/listed_names.ts");
  const text = file === "-"
    ? await new Response(Deno.stdin.readable).text()
    : readText("--files-from", file);
  return text.split(end).filter(Boolean).map((name) => relativeName(name, root));
}

function readText(op: string, path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (cause) {
    throw typed(cause, { op, path });
  }
}
