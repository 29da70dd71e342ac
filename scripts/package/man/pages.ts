/** All man pages, from the command tree and docs/configuration.md. */
import type { AnyCommand, Group, Tree, Verb } from "../../../cmd/_term/command.ts";
import { tree } from "../../../main.ts";
import { programPage } from "./program_page.ts";
import { reference, type Term } from "./roff.ts";
import { tomlPage } from "./toml_page.ts";
import { groupPage, pageName, verbPage, verbReference } from "./verb_page.ts";

/** The facts of a build that pages show. */
interface Build {
  readonly version: string;
  /** The time of the commit, in seconds since 1970. */
  readonly time: number;
}

/**
 * Returns the source of every page by its file name: `barge-put.1`.
 *
 * @param configuration the text of docs/configuration.md
 */
export async function manPages(build: Build, configuration: string): Promise<Map<string, string>> {
  const pages = new Map<string, string>();
  const related = [reference("barge", 1)];
  await addPages(pages, build, [], tree, related);
  const verbs = Object.entries(tree).map(termOf([]));
  const first = ["serve", "put", "get"].map((verb) => verbReference([verb]));
  pages.set("barge.1", programPage({ ...build, related: first }, verbs));
  const { default: serve } = await (tree.serve as Verb).load();
  pages.set("barge.toml.5", tomlPage(build, serve, configuration));
  return pages;
}

/** Adds the pages of the verbs in a level of the tree, and of those below. */
async function addPages(
  pages: Map<string, string>,
  build: Build,
  above: readonly string[],
  level: Tree,
  parents: readonly string[],
): Promise<void> {
  for (const [name, row] of Object.entries<Partial<Verb & Group> & { brief: string }>(level)) {
    const words = [...above, name];
    const { brief, load, verbs } = row;
    const command = await load?.();
    const related = [...parents, ...readsFile(words, command?.default) ? toml : []];
    const facts = { ...build, words, brief, related };
    const below = Object.entries(verbs ?? {}).map(termOf(words));
    const text = command ? verbPage(facts, command.default, below) : groupPage(facts, below);
    pages.set(`${pageName(words)}.1`, text);
    if (verbs) await addPages(pages, build, words, verbs, [...parents, verbReference(words)]);
  }
}

const toml = [reference("barge.toml", 5)];

/** Returns whether a configuration file holds options of a verb. */
function readsFile([first]: readonly string[], command?: AnyCommand): boolean {
  return first === "config" || first === "serve" || "server" in (command?.options ?? {});
}

/** Returns the row of a verb in a list: its page, and its purpose. */
function termOf(above: readonly string[]) {
  return ([name, { brief }]: readonly [string, { readonly brief: string }]): Term => [
    verbReference([...above, name]),
    brief,
  ];
}
