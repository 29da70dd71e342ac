/** Reads the text of a configuration file. */
import { BargeError, typed } from "../../core/error.ts";

/** Others may not write a file that decides about TLS, and names programs to run. */
const writableByOthers = 0o002;

/**
 * Returns the text of a configuration file.
 *
 * @throws {BargeError} `fatal` for a file that can't be read, `denied` for one that other users can change
 */
export function readConfigText(path: string): string {
  const facts = { op: "read configuration", path };
  let text: string;
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
    text = Deno.readTextFileSync(path);
  } catch (cause) {
    throw new BargeError("fatal", typed(cause).message, { ...facts, cause });
  }
  if (Deno.build.os === "windows" || info.mode === null || !(info.mode & writableByOthers)) {
    return text;
  }
  throw new BargeError("denied", "every user can write the file", {
    ...facts,
    hint: `chmod o-w ${path}`,
  });
}
