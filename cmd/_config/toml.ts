/** Reads TOML (https://toml.io, version 1.0) as settings with their positions. */
import { type AST, ParseError, parseTOML } from "toml-eslint-parser";
import type { FileValue, Position, Problem, Setting } from "./setting.ts";

/** The settings of a text, or the fault of its syntax. */
export type Parsed = { readonly settings: readonly Setting[] } | { readonly problem: Problem };

/**
 * Parses TOML. A table is a setting of its own, before those that it holds.
 *
 * @example
 * ```ts
 * import { parseToml } from "./toml.ts";
 * const parsed = parseToml('workers = 4\n[limits]\nrate-up = "1MB"\n');
 * if (!("settings" in parsed)) throw new Error(parsed.problem.message);
 * const [workers, , rate] = parsed.settings;
 * if (workers.value.text !== "4" || rate.path.join(".") !== "limits.rate-up") throw new Error();
 * if (rate.position?.line !== 3 || rate.position.column !== 1) throw new Error();
 * ```
 */
export function parseToml(text: string): Parsed {
  try {
    const [{ body }] = parseTOML(text, { tomlVersion: "1.0" }).body;
    return { settings: body.flatMap((node) => settingsOf(node, [])) };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const position = { line: error.lineNumber, column: error.column + 1 };
    return { problem: { position, message: `this is not TOML: ${error.message}` } };
  }
}

function settingsOf(node: AST.TOMLTable | AST.TOMLKeyValue, above: readonly string[]): Setting[] {
  const path = [...above, ...node.key.keys.map((key) => "name" in key ? key.name : key.value)];
  const { line, column } = node.key.loc.start;
  const position = { line, column: column + 1 };
  if (node.type === "TOMLTable") {
    if (node.kind === "array") return [{ path, position, value: value("other") }];
    return [tableAt(path, position), ...node.body.flatMap((below) => settingsOf(below, path))];
  }
  if (node.value.type === "TOMLInlineTable") {
    const { body } = node.value;
    return [tableAt(path, position), ...body.flatMap((below) => settingsOf(below, path))];
  }
  return [{ path, position, value: valueOf(node.value) }];
}

function tableAt(path: readonly string[], position: Position): Setting {
  return { path, position, value: value("table") };
}

function valueOf(node: AST.TOMLContentNode): FileValue {
  if (node.type === "TOMLInlineTable") return value("table");
  if (node.type === "TOMLArray") return value("array", "", node.elements.map(valueOf));
  switch (node.kind) {
    case "integer":
      return value("integer", String(node.bigint));
    case "float":
    case "string":
    case "boolean":
      return value(node.kind, String(node.value));
    default:
      return value("other");
  }
}

function value(
  type: FileValue["type"],
  text = "",
  items: readonly FileValue[] = [],
): FileValue {
  return { type, text, items };
}
