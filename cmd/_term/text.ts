/** Text from strangers, made safe for a terminal. */

const names: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\e" };

/**
 * Escapes what could move the cursor, change colors or hide text: C0 and C1 controls, DEL, and the
 * marks that turn the direction of writing (Unicode TR 36, "bidirectional text spoofing").
 *
 * @example
 * ```ts
 * import { printable } from "./text.ts";
 * if (printable("a\nb\x1b[31m") !== "a\\nb\\e[31m") throw new Error();
 * ```
 */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (c) => {
    const code = c.charCodeAt(0);
    if (Object.hasOwn(names, c)) return names[c];
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}
