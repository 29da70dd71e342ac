import { join } from "node:path";
import { licenseText } from "../../cmd/_licenses.ts";
import { must } from "../run.ts";
import type { Facts } from "./facts.ts";
import { manPages } from "./man/pages.ts";

/** The files that several packages carry, beside the executable. */
export interface Content {
  /** The source of each man page by its file name. */
  readonly man: ReadonlyMap<string, string>;
  readonly completions: Readonly<Record<Shell, string>>;
  /** The text of `barge licenses`. */
  readonly licenses: string;
  /** Texts for people, by their paths in the checkout. */
  readonly documents: ReadonlyMap<string, string>;
}

export type Shell = "bash" | "zsh" | "fish";

const rootDocuments = ["README.md", "CHANGELOG.md", "PROTOCOL.md", "SECURITY.md"];

/** Collects these files from the checkout in `root`. */
export async function collectContent(root: string, facts: Facts): Promise<Content> {
  const read = (path: string) => Deno.readTextFile(join(root, path));
  const run = (...args: string[]) =>
    must(Deno.execPath(), ["run", "--quiet", "--allow-all", "main.ts", ...args], { cwd: root });
  const [man, bash, zsh, fish, documents] = await Promise.all([
    manPages({ ...facts, time: facts.commit.time }, await read("docs/configuration.md")),
    run("completion", "bash"),
    run("completion", "zsh"),
    run("completion", "fish"),
    readDocuments(root, read),
  ]);
  return { man, completions: { bash, zsh, fish }, licenses: `${licenseText()}\n`, documents };
}

async function readDocuments(root: string, read: (path: string) => Promise<string>) {
  const paths = rootDocuments.concat(filesBelow(root, "docs"));
  return new Map(await Promise.all(paths.map(async (path) => [path, await read(path)] as const)));
}

/** Returns the paths of the files in a folder and below, sorted. */
function filesBelow(root: string, folder: string): string[] {
  const entries = [...Deno.readDirSync(join(root, folder))];
  return entries.flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(root, `${folder}/${name}`) : [`${folder}/${name}`]
  ).sort();
}
