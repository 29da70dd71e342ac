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
  /** Texts for people, with the files that they link, by their paths in the checkout. */
  readonly documents: ReadonlyMap<string, Uint8Array>;
}

export type Shell = "bash" | "zsh" | "fish";

/** Files and folders of the checkout. */
const documents = [
  ...["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "PROTOCOL.md", "SECURITY.md"],
  ...["docs", "bench/README.md"],
  ...["bindings.json", "client.py", "frames", "login.json"].map((name) => `fixtures/${name}`),
];

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
    readDocuments(root),
  ]);
  return { man, completions: { bash, zsh, fish }, licenses: `${licenseText()}\n`, documents };
}

async function readDocuments(root: string) {
  const paths = documentPaths(root);
  const read = (path: string) => Deno.readFile(join(root, path));
  return new Map(await Promise.all(paths.map(async (path) => [path, await read(path)] as const)));
}

/** Returns the paths in the checkout of the documents that packages carry. */
export function documentPaths(root: string): string[] {
  return documents.flatMap((path) => filesOf(root, path));
}

/** Returns the path of a file, or the paths of the files in a folder and below, sorted. */
function filesOf(root: string, path: string): string[] {
  if (!Deno.statSync(join(root, path)).isDirectory) return [path];
  const names = Array.from(Deno.readDirSync(join(root, path)), ({ name }) => name);
  return names.flatMap((name) => filesOf(root, `${path}/${name}`)).sort();
}
