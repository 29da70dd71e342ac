/** The lines of `--format`: text with fields of an entry. */
import type { Entry } from "../../core/protocol/message.ts";
import { oneLine, printable } from "../../core/protocol/printable.ts";
import { BargeError } from "../../core/error.ts";
import { didYouMean } from "../_term/similar.ts";
import { entryFields } from "./entry.ts";

type Field = keyof ReturnType<typeof entryFields>;

const fields: readonly Field[] = ["path", "name", "type", "size", "modified", "owner", "sha256"];
const escapes: Readonly<Record<string, string>> = { "\\t": "\t", "\\n": "\n", "\\\\": "\\" };

/**
 * Compiles a format: `{size}\t{path}`. Values without control characters replace the fields, `-` one
 * that is unknown; `\t`, `\n` and `\\` are a tab, a line end and a backslash.
 *
 * @param toTerminal whether all control characters of values are escaped, and not line ends alone
 * @throws {BargeError} `usage` for an unknown field
 *
 * @example
 * ```ts
 * import { lineFormat } from "./format.ts";
 * const line = lineFormat("{size}\\t{name}", false);
 * const entry = { name: "a", type: "file", size: 3, modified: "", owner: null, sha256: null } as const;
 * if (line("/home/a", entry) !== "3\ta") throw new Error();
 * ```
 */
export function lineFormat(
  format: string,
  toTerminal: boolean,
): (path: string, entry: Entry) => string {
  for (const [, name] of format.matchAll(/\{(\w+)\}/g)) check(name);
  const clean = toTerminal ? printable : oneLine;
  return (path, entry) => {
    const values = entryFields(path, entry);
    return format.replace(
      /\{(\w+)\}|\\[tn\\]/g,
      (text, name) => escapes[text] ?? clean(String(values[name as Field] ?? "-")),
    );
  };
}

function check(name: string): void {
  if (fields.some((field) => field === name)) return;
  const all = `the fields are ${fields.join(", ")}`;
  const hint = didYouMean(name, fields, all, (field) => `{${field}}`);
  throw new BargeError("usage", `there is no field {${name}}`, { op: "--format", hint });
}
