/**
 * `deno run --allow-all scripts/run_tests.ts [--OPTION]... [--ignore=PATH]... PATH...`: runs the test files at these paths,
 * files and folders, without the ignored ones, with `deno test` and these options of it.
 *
 * `deno test` loads each file, and all modules that the file imports, in an isolate of its own, where their code is
 * compiled and optimized anew: minutes of CPU for 300 files. So this script writes entries to a temporary folder,
 * modules that import several test files of one area, and `deno test` runs the entries in the order of the paths. The
 * task names folders of long tests first, so that no core is idle while the last entry runs. A failure is still
 * reported with the path of the test file. If a file fails to load, the other files of its entry do not run, and the
 * run fails.
 */
import { dirname, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "./run.ts";

/** Files of an entry. An entry with more runs longer than all others, and leaves a core without work at the end. */
const maxEntryFiles = 16;
/** Entries that run at once on a core: many tests wait, for other processes and for deadlines. */
const entriesPerCore = 5;
/** Folders of suites that run for most of a minute: each of their files is an entry. */
const longSuites: readonly string[] = ["tests/contract"];
/** Folders whose files share a browser and a server if they are loaded together: each folder is an area. */
const sharedSetups: readonly string[] = ["tests/core/door/http/page"];

/** Test files of one area that are loaded together. */
export interface Entry {
  readonly name: string;
  /** Absolute paths. */
  readonly files: readonly string[];
}

/** Returns the absolute paths of the test files at these paths, each once, folder by folder in the order given. */
export function findTests(paths: readonly string[]): string[] {
  const files = new Set<string>();
  const walk = (folder: string) => {
    const children = Array.from(Deno.readDirSync(folder));
    children.sort((a, b) => a.name < b.name ? -1 : 1);
    for (const { name } of children.filter((child) => child.isFile)) {
      if (name.endsWith("_test.ts")) files.add(`${folder}/${name}`);
    }
    for (const { name } of children.filter((child) => child.isDirectory)) walk(`${folder}/${name}`);
  };
  for (const path of paths.map((path) => resolve(path))) {
    if (Deno.statSync(path).isDirectory) walk(path);
    else files.add(path);
  }
  return [...files];
}

/**
 * Returns entries of these files. Neighbors are dealt to different entries, since tests with a common beginning of
 * their paths often take about as long.
 */
export function makeEntries(files: readonly string[]): Entry[] {
  return Array.from(Map.groupBy(files, areaOf), ([area, inArea]) => {
    const count = Math.ceil(inArea.length / maxEntryFiles);
    const label = area.replaceAll(/\W+/g, "_");
    return Array.from({ length: count }, (_, entry) => ({
      name: `${label}_${entry + 1}_test.ts`,
      files: inArea.filter((_, i) => i % count === entry),
    }));
  }).flat();
}

/**
 * Returns the first two folders of a file, such as `tests/core`; the folder of a file with a shared setup; a file of a
 * long suite itself.
 */
function areaOf(file: string): string {
  const path = relative(ROOT, file);
  if (longSuites.includes(dirname(path))) return path.replace(/_test\.ts$/, "");
  if (sharedSetups.includes(dirname(path))) return dirname(path);
  return dirname(path).split("/").slice(0, 2).join("/");
}

/** Runs the tests, and returns the exit code of `deno test`. */
async function runTests(
  paths: readonly string[],
  ignored: readonly string[],
  options: readonly string[],
): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "barge-tests-" });
  // Ctrl-C ends `deno test`, too; then the folder is removed.
  Deno.addSignalListener("SIGINT", () => {});
  try {
    const skipped = new Set(findTests(ignored));
    const chosen = findTests(paths).filter((file) => !skipped.has(file));
    const entries = makeEntries(chosen).map(({ name, files }) => {
      const imports = files.map((file) => `import ${JSON.stringify(pathToFileURL(file).href)};\n`);
      const path = `${folder}/${name}`;
      Deno.writeTextFileSync(path, imports.join(""), { createNew: true });
      return path;
    });
    // Without a path, `deno test` would run all files.
    if (entries.length === 0) throw new Error(`there are no test files at ${paths.join(", ")}`);
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--no-check", "--allow-all", "--parallel", ...options, ...entries],
      env: {
        DENO_JOBS: Deno.env.get("DENO_JOBS") ?? `${entriesPerCore * navigator.hardwareConcurrency}`,
      },
    }).spawn().status;
    return code;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const isOption = (word: string) => word.startsWith("-");
  const ignore = "--ignore=";
  const isIgnored = (word: string) => word.startsWith(ignore);
  const code = await runTests(
    Deno.args.filter((word) => !isOption(word)),
    Deno.args.filter(isIgnored).map((word) => word.slice(ignore.length)),
    Deno.args.filter((word) => isOption(word) && !isIgnored(word)),
  );
  Deno.exit(code);
}
