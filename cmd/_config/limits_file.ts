/** Reads the file of `--limits`, a JSON object, which the table [limits] of the server's file replaces. */
import { BargeError } from "../../core/error.ts";
import type { FileValue, Setting } from "./setting.ts";

/**
 * Parses a file of limits.
 *
 * @param file its path, for messages
 * @throws {BargeError} `usage` for a text that is not a JSON object
 *
 * @example
 * ```ts
 * import { parseLimits } from "./limits_file.ts";
 * const [first, second] = parseLimits('{"max-connections": 100, "rate-up": "10MB"}', "limits.json");
 * if (first.path[0] !== "max-connections" || first.value.type !== "integer") throw new Error();
 * if (second.value.text !== "10MB") throw new Error();
 * ```
 */
export function parseLimits(text: string, file: string): Setting[] {
  const invalid = (why: string) =>
    new BargeError("usage", why, { op: "read configuration", path: file });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(`the file is not JSON: ${(cause as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid("the file must hold one JSON object");
  }
  return Object.entries(value).map(([key, value]) => ({ path: [key], value: valueOf(value) }));
}

function valueOf(value: unknown): FileValue {
  const isNumber = typeof value === "number";
  const type = isNumber && Number.isInteger(value)
    ? "integer"
    : isNumber
    ? "float"
    : typeof value === "string" || typeof value === "boolean"
    ? typeof value as "string" | "boolean"
    : "other";
  return { type, text: String(value), items: [] };
}
