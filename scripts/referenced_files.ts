import { basename, dirname, join } from "node:path";
import { sourceFiles } from "./source.ts";

/** Matches the reference to a worker's entry or an asset, relative to the module. */
export const REFERENCE = /new URL\(\s*"(\.[^"]+)",\s*import\.meta\.url,?\s*\)/g;

/**
 * Returns the workers and assets that the program names by `new URL("./name", import.meta.url)`,
 * which no bundler follows: paths relative to `root` by their base names. The bundle is flat, so base
 * names must be unique.
 *
 * @throws Error if two files have the same base name.
 */
export function referencedFiles(root: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const file of sourceFiles(root)) {
    const text = withoutComments(Deno.readTextFileSync(join(root, file)));
    for (const [, name] of text.matchAll(REFERENCE)) {
      const path = join(dirname(file), name);
      const other = files.get(basename(path)) ?? path;
      if (other !== path) throw new Error(`${path} and ${other} need different base names`);
      files.set(basename(path), path);
    }
  }
  return files;
}

/** Returns whether a path is a module, not an asset. */
export function isModule(path: string): boolean {
  return /\.tsx?$/.test(path);
}

/** Returns the text without comment lines, since examples in doc comments import files, too. */
export function withoutComments(text: string): string {
  return text.split("\n").filter((line) => !/^\s*(\/\/|\/\*|\*)/.test(line)).join("\n");
}
