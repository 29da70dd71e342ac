import { stop, transform } from "esbuild";
import { basename, dirname, join, relative } from "node:path";
import { nameChunksByContent } from "./chunk_names.ts";
import { isModule, REFERENCE, referencedFiles } from "./referenced_files.ts";
import { must } from "./run.ts";

/**
 * Bundles the program in `root` and its npm packages into the folder `out`, with the entry `main.js`.
 *
 * Dynamically imported modules stay files of their own. Functions and classes keep their names.
 */
export async function bundle(root: string, out: string): Promise<void> {
  const beside = referencedFiles(root);
  const workers = [...beside.values()].filter(isModule);
  await must(Deno.execPath(), [
    "bundle",
    "--quiet",
    "--platform=deno",
    "--code-splitting",
    "--keep-names",
    // Packages work without their native addons.
    "--external=*.node",
    `--outdir=${out}`,
    "main.ts",
    ...workers,
  ], { cwd: root });
  await removeWhitespace(out, workers);
  await nameChunksByContent(scripts(out, workers));
  await hideDynamicImports(out, workers);
  await defineCommonJsNames(out, workers);
  await placeReferencedFiles(root, out, beside);
}

/**
 * Removes white space, comments and the paths of the npm cache, which name the building machine.
 * `deno bundle --minify` of Deno 2.9.6 is not used: it inlines a `using` variable that is used once
 * and drops its disposal (esbuild issue 4482, fixed in esbuild 0.28), which leaked a file descriptor
 * with every upload.
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

/** Matches the path before the package's name in the bundler's names of CommonJS modules. */
const NPM_CACHE = /\b__commonJS\(\{"[^"]*\/npm\/[^\/"]+\//g;

/**
 * Hides the targets of dynamic imports from the runtime, which would read all of them, and so every
 * verb, before it runs anything. The server's workers keep them visible, since they have no
 * permission to read files of the program later.
 */
async function hideDynamicImports(out: string, workers: string[]) {
  const all = scripts(out, workers);
  const visible = await reached(
    workers.map((path) => join(out, path.replace(/\.tsx?$/, ".js"))),
    all,
  );
  for (const path of all) {
    if (visible.has(path)) continue;
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace(DYNAMIC_IMPORT, "import(String($1))"));
  }
}

const DYNAMIC_IMPORT = /\bimport\(("\.\/[^"]+")\)/g;
/** Matches the imports of a bundled file. The scripts of the web page in it have a blank instead. */
const IMPORTED = /\b(?:import|from)\(?"(\.[^"]+)"/g;

/** Returns the bundled files that these entries import, themselves included. */
async function reached(entries: readonly string[], all: readonly string[]) {
  const files = new Set(entries);
  for (const path of files) {
    const text = await Deno.readTextFile(path);
    for (const [, name] of text.matchAll(IMPORTED)) {
      const target = join(dirname(path), name);
      if (all.includes(target)) files.add(target); // texts of lessons name other files
    }
  }
  return files;
}

/** The `require` of `deno bundle` for CommonJS packages, which loads `node:module` at each start. */
const REQUIRE =
  'import{createRequire as __deno_internal_createRequire}from"node:module";var __require=__deno_internal_createRequire(import.meta.url);';
/** A `require` that loads `node:module` at its first call, which saves most starts 40 ms. */
const LAZY_REQUIRE =
  'var __require=(id)=>process.getBuiltinModule("node:module").createRequire(import.meta.url)(id);';

/** Names of CommonJS that modules lack. Each file that uses one gets a definition. */
const COMMONJS: readonly (readonly [name: RegExp, line: string])[] = [
  [/\b__dirname\b/, "const __dirname=import.meta.dirname;"],
  [/\b__filename\b/, "const __filename=import.meta.filename;"],
];

async function defineCommonJsNames(out: string, workers: string[]) {
  for (const path of scripts(out, workers)) {
    const text = await Deno.readTextFile(path);
    const lines = COMMONJS.filter(([name]) => name.test(text)).map(([, line]) => line);
    const complete = lines.join("") + text.replace(REQUIRE, LAZY_REQUIRE);
    if (complete.includes("createRequire as")) throw new Error(`${path} loads node:module at once`);
    if (complete !== text) await Deno.writeTextFile(path, complete);
  }
}

/**
 * Writes the files that bundled files name by `new URL("./name", import.meta.url)` beside them: a
 * copy of an asset, or a module that imports the bundled entry of a worker.
 */
async function placeReferencedFiles(root: string, out: string, beside: Map<string, string>) {
  for (const script of scripts(out, [...beside.values()].filter(isModule))) {
    const text = await Deno.readTextFile(script);
    for (const [, name] of text.matchAll(REFERENCE)) {
      const source = beside.get(basename(name));
      if (source === undefined) continue; // in an npm package
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

/** Returns the bundled scripts. Entries are in their sources' folders, all others beside main.js. */
function scripts(out: string, workers: string[]): string[] {
  const dirs = new Set(["", ...workers.map(dirname)]);
  return [...dirs].flatMap((dir) =>
    Array.from(Deno.readDirSync(join(out, dir)))
      .filter((entry) => entry.isFile && entry.name.endsWith(".js"))
      .map((entry) => join(out, dir, entry.name))
  );
}
