/** Reads files of secrets that options name. */
import { typed } from "../../core/error.ts";

/**
 * Returns the text of a file.
 *
 * @param option the option that names the file, for failures
 * @param ways the ways to give the secret: the hint if there is no such file
 * @throws {BargeError} the failure to read it
 */
export async function readSecretFile(path: string, option: string, ways: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    const error = typed(cause, { op: option, path });
    if (error.kind !== "not-found") throw error;
    const prefix = path === "-" ? "- does not stand for standard input here: " : "";
    throw error.with({ hint: prefix + ways });
  }
}
