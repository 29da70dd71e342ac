import { basename, dirname, join, relative } from "node:path";
import { BESIDE, filesBeside, isModule } from "./beside.ts";
import { must } from "./run.ts";

/**
 * Bundles the program in `root`, npm packages included, into the folder `out`, `main.js` first.
 *
 * What is imported lazily stays a file of its own. Minified, not for the bytes, which do not count
 * beside the runtime, but because the bundler's comments name the folders of the machine that it
 * runs on; functions and classes keep their names.
 */
export async function bundle(root: string, out: string): Promise<void> {
  const beside = filesBeside(root);
  const workers = [...beside.values()].filter(isModule);
  await must(Deno.execPath(), [
    "bundle",
    "--quiet",
    "--platform=deno",
    "--code-splitting",
    "--minify",
    "--keep-names",
    // Native addons are never carried: the packages that would like one do without.
    "--external=*.node",
    `--outdir=${out}`,
    "main.ts",
    ...workers,
  ], { cwd: root });
  await leaveLazy(out, workers);
  await giveCommonJs(out, workers);
  await placeBeside(root, out, beside);
}

/**
 * Before it runs anything, the runtime reads all modules that it finds named in an `import()`: every
 * verb of the program, for the one that is called, and the prompts, TLS and globs that this verb may
 * do without. They are hidden from it until then. Not from the server's workers, which may read no
 * file of the program later.
 */
async function leaveLazy(out: string, workers: string[]) {
  const all = scripts(out, workers);
  const kept = await reached(workers.map((path) => join(out, path.replace(/\.tsx?$/, ".js"))), all);
  for (const path of all) {
    if (kept.has(path)) continue;
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace(LAZY, "import(String($1))"));
  }
}

const LAZY = /\bimport\(("\.\/[^"]+")\)/g;
/** What a bundled file imports, lazily or not. The web page's scripts, which it holds, have a blank. */
const IMPORTED = /\b(?:import|from)\(?"(\.[^"]+)"/g;

/** Those of all bundled files that these entries import, themselves included. */
async function reached(entries: readonly string[], all: readonly string[]) {
  const found = new Set(entries);
  for (const path of found) {
    const text = await Deno.readTextFile(path);
    for (const [, name] of text.matchAll(IMPORTED)) {
      const target = join(dirname(path), name);
      if (all.includes(target)) found.add(target); // texts of lessons name others
    }
  }
  return found;
}

/**
 * CommonJS packages keep a few of their names in the bundle, which a module does not know. Each file
 * that says one gets it; `require`, which is for Node's built-in modules, loads only when called.
 */
const COMMONJS: readonly (readonly [said: RegExp, line: string])[] = [
  [
    /\bDynamic require of\b/,
    'const require=(id)=>process.getBuiltinModule("node:module").createRequire(import.meta.url)(id);',
  ],
  [/\b__dirname\b/, "const __dirname=import.meta.dirname;"],
  [/\b__filename\b/, "const __filename=import.meta.filename;"],
];

async function giveCommonJs(out: string, workers: string[]) {
  for (const path of scripts(out, workers)) {
    const text = await Deno.readTextFile(path);
    const lines = COMMONJS.filter(([said]) => said.test(text)).map(([, line]) => line);
    if (lines.length > 0) await Deno.writeTextFile(path, lines.join("") + text);
  }
}

/**
 * Puts what the bundled files name by `new URL("./name", import.meta.url)` beside them: a module
 * that forwards to the bundled entry, or a copy of the asset.
 */
async function placeBeside(root: string, out: string, beside: Map<string, string>) {
  for (const script of scripts(out, [...beside.values()].filter(isModule))) {
    const text = await Deno.readTextFile(script);
    for (const [, name] of text.matchAll(BESIDE)) {
      const source = beside.get(basename(name));
      if (source === undefined) continue; // named in an npm package, not by us
      const target = join(dirname(script), name);
      await Deno.mkdir(dirname(target), { recursive: true });
      if (isModule(source)) {
        const entry = relative(dirname(target), join(out, source.replace(/\.tsx?$/, ".js")));
        await Deno.writeTextFile(target, `import ${JSON.stringify(`./${entry}`)};\n`);
      } else {
        await Deno.copyFile(join(root, source), target);
      }
    }
  }
}

/** The bundled files: the bundler puts entries where their sources are, all else beside main.js. */
function scripts(out: string, workers: string[]): string[] {
  const dirs = new Set(["", ...workers.map(dirname)]);
  return [...dirs].flatMap((dir) =>
    Array.from(Deno.readDirSync(join(out, dir)))
      .filter((entry) => entry.isFile && entry.name.endsWith(".js"))
      .map((entry) => join(out, dir, entry.name))
  );
}
