import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";

/** Matches the name of a chunk, as the bundler makes it: NAME-HASH.js. */
const chunkName = /[\w.-]+-[A-Z0-9]{8}\.js/g;

/**
 * Renames bundled chunks by digests of their texts. The bundler's own digests cover comments with paths of the
 * machine, which are removed later.
 *
 * A text names other chunks, also in circles. So each digest begins as that of the text without these names, and
 * then takes the digests of the named chunks into account, until that distinguishes no further chunks.
 *
 * @param paths all bundled scripts; those with other names are changed, and keep their names
 * @throws {Error} if two chunks are the same
 */
export async function nameChunksByContent(paths: readonly string[]): Promise<void> {
  const texts = new Map(
    await Promise.all(paths.map(async (path) => [path, await Deno.readTextFile(path)] as const)),
  );
  const chunks = paths.filter((path) => basename(path).replace(chunkName, "") === "");
  let digests = new Map(chunks.map((path) => [basename(path), ""]));
  const textOf = (path: string) =>
    texts.get(path)!.replace(chunkName, (name) => digests.get(name) ?? name);
  for (let known = 0, distinct = 1; distinct > known;) {
    known = distinct;
    digests = new Map(chunks.map((path) => [basename(path), digestOf(textOf(path))]));
    distinct = new Set(digests.values()).size;
  }
  if (new Set(digests.values()).size < chunks.length) throw new Error("two chunks are the same");
  for (const [name, digest] of digests) {
    digests.set(name, name.replace(/[A-Z0-9]{8}\.js$/, `${digest}.js`));
  }
  for (const path of paths) await Deno.writeTextFile(path, textOf(path));
  for (const path of chunks) {
    await Deno.rename(path, join(dirname(path), digests.get(basename(path))!));
  }
}

/** Returns the first 8 digits of a SHA-256, in upper case. */
function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8).toUpperCase();
}
