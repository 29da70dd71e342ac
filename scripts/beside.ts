import { basename, dirname, join } from "node:path";
import { sourceFiles } from "./source.ts";

/** How the program names a file that it starts or reads by place: a worker's entry, an asset. */
export const BESIDE = /new URL\(\s*"(\.[^"]+)",\s*import\.meta\.url,?\s*\)/g;

/**
 * The files that the program reaches by `new URL("./name", import.meta.url)`, which no bundler
 * follows, as paths relative to `root` by their base name.
 *
 * Base names are unique because the bundle is flat: two folders may not both have a `worker.ts`.
 *
 * @throws Error if two of them share a base name.
 */
export function filesBeside(root: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const file of sourceFiles(root)) {
    const text = withoutComments(Deno.readTextFileSync(join(root, file)));
    for (const [, name] of text.matchAll(BESIDE)) {
      const path = join(dirname(file), name);
      const other = found.get(basename(path)) ?? path;
      if (other !== path) throw new Error(`${path} and ${other} need different base names`);
      found.set(basename(path), path);
    }
  }
  return found;
}

/** Whether a path names a module, not an asset. */
export function isModule(path: string): boolean {
  return /\.tsx?$/.test(path);
}

/**
 * The text without its comments, as far as lines can tell: what a doc comment's example imports is
 * no import of the file.
 */
export function withoutComments(text: string): string {
  return text.split("\n").filter((line) => !/^\s*(\/\/|\/\*|\*)/.test(line)).join("\n");
}
