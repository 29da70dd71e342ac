import { typed } from "../../error.ts";

/**
 * Finds the first entry in or below a folder that is not itself a folder.
 *
 * @param path a folder; a path to anything else is the result itself
 * @returns its path; undefined where the folder is missing, or holds only folders
 * @throws {BargeError} `denied` for a folder that can't be read; without its path
 *
 * @example
 * ```ts
 * import { firstFile } from "./first_file.ts";
 * const dir = Deno.makeTempDirSync();
 * Deno.mkdirSync(`${dir}/homes/anna`, { recursive: true });
 * if (firstFile(dir) !== undefined || firstFile(`${dir}/none`) !== undefined) throw new Error();
 * Deno.writeTextFileSync(`${dir}/homes/anna/a`, "");
 * if (firstFile(dir) !== `${dir}/homes/anna/a`) throw new Error();
 * Deno.removeSync(dir, { recursive: true });
 * ```
 */
export function firstFile(path: string): string | undefined {
  try {
    if (!Deno.lstatSync(path).isDirectory) return path;
    const folders = [path];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for (const { name, isDirectory } of Deno.readDirSync(folder)) {
        if (!isDirectory) return `${folder}/${name}`;
        folders.push(`${folder}/${name}`);
      }
    }
    return undefined;
  } catch (error) {
    const { NotFound, NotADirectory } = Deno.errors;
    if (error instanceof NotFound || error instanceof NotADirectory) return undefined;
    throw typed(error);
  }
}
