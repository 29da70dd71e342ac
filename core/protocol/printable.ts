/** Escapes file names and other untrusted text, so that they stay on one line of output. */

const escapes: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\e" };

/**
 * Escapes characters that could move the cursor, change colors or hide text: C0 and C1 controls,
 * DEL, and marks of writing direction (Unicode TR 36, "bidirectional text spoofing").
 *
 * @example
 * ```ts
 * import { printable } from "./printable.ts";
 * if (printable("a\nb\x1b[31m") !== "a\\nb\\e[31m") throw new Error();
 * ```
 */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (c) => {
    const code = c.charCodeAt(0);
    if (Object.hasOwn(escapes, c)) return escapes[c];
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/**
 * Escapes only the ends of lines, for programs that read names line by line.
 *
 * @example
 * ```ts
 * import { oneLine } from "./printable.ts";
 * if (oneLine("a\r\nb\tc") !== "a\\r\\nb\tc") throw new Error();
 * ```
 */
export function oneLine(text: string): string {
  return text.replace(/[\n\r]/g, (c) => escapes[c]);
}

/**
 * Returns a line of `sha256sum` or `md5sum`, without its line end, as GNU coreutils write it. A name with
 * backslashes, LF or CR has them written as `\\`, `\n` and `\r`; the line then begins with a backslash.
 *
 * @example
 * ```ts
 * import { sumLine } from "./printable.ts";
 * if (sumLine("abc", "a b") !== "abc  a b") throw new Error();
 * if (sumLine("abc", "a\n\\") !== "\\abc  a\\n\\\\") throw new Error();
 * ```
 */
export function sumLine(digest: string, name: string): string {
  if (!/[\\\n\r]/.test(name)) return `${digest}  ${name}`;
  return `\\${digest}  ${oneLine(name.replaceAll("\\", "\\\\"))}`;
}
