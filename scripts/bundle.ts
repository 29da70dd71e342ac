import { stop, transform } from "esbuild";
import { basename, dirname, join, relative } from "node:path";
import { BESIDE, filesBeside, isModule } from "./beside.ts";
import { must } from "./run.ts";

/**
 * Bundles the program in `root`, npm packages included, into the folder `out`, `main.js` first.
 *
 * Modules that are imported lazily stay files of their own. Functions and classes keep their names.
 */
export async function bundle(root: string, out: string): Promise<void> {
  const beside = filesBeside(root);
  const workers = [...beside.values()].filter(isModule);
  await must(Deno.execPath(), [
    "bundle",
    "--quiet",
    "--platform=deno",
    "--code-splitting",
    "--keep-names",
    // Native addons are never carried: the packages that would like one do without.
    "--external=*.node",
    `--outdir=${out}`,
    "main.ts",
    ...workers,
  ], { cwd: root });
  await removeWhitespace(out, workers);
  await leaveLazy(out, workers);
  await giveCommonJs(out, workers);
  await placeBeside(root, out, beside);
}

/**
 * Removes white space, comments and the folders of the npm cache, so that nothing names the machine
 * that the bundler runs on. Nothing else is shortened: `deno bundle --minify` of Deno 2.9.6 inlines
 * a `using` variable that is used once and drops its disposal (esbuild issue 4482, fixed in esbuild
 * 0.28), which leaked a file descriptor with every upload.
 */
async function removeWhitespace(out: string, workers: string[]) {
  for (const path of scripts(out, workers)) {
    const { code } = await transform(await Deno.readTextFile(path), {
      minifyWhitespace: true,
      legalComments: "none",
      target: "esnext",
      charset: "utf8",
    });
    await Deno.writeTextFile(path, code.replace(NPM_CACHE, '__commonJS({"'));
  }
  await stop();
}

/** The bundler names each CommonJS module by its path: up to the package's name. */
const NPM_CACHE = /\b__commonJS\(\{"[^"]*\/npm\/[^\/"]+\//g;

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
 * The `require` that `deno bundle` gives CommonJS packages; it loads `node:module` at every start.
 */
const REQUIRE =
  'import{createRequire as __deno_internal_createRequire}from"node:module";var __require=__deno_internal_createRequire(import.meta.url);';
/** The same, but loaded at its first call: a verb that calls none starts 40 ms faster. */
const LAZY_REQUIRE =
  'var __require=(id)=>process.getBuiltinModule("node:module").createRequire(import.meta.url)(id);';

/** Names that CommonJS packages use and modules lack. Each file that uses one gets a definition. */
const COMMONJS: readonly (readonly [name: RegExp, line: string])[] = [
  [/\b__dirname\b/, "const __dirname=import.meta.dirname;"],
  [/\b__filename\b/, "const __filename=import.meta.filename;"],
];

async function giveCommonJs(out: string, workers: string[]) {
  for (const path of scripts(out, workers)) {
    const text = await Deno.readTextFile(path);
    const lines = COMMONJS.filter(([name]) => name.test(text)).map(([, line]) => line);
    const whole = lines.join("") + text.replace(REQUIRE, LAZY_REQUIRE);
    if (whole.includes("createRequire as")) throw new Error(`${path} loads node:module at once`);
    if (whole !== text) await Deno.writeTextFile(path, whole);
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
