/**
 * Text as roff with the macros of man(7). Backticks in a text mark commands and file names, which man pages
 * print in bold.
 */

/** The facts of the title line of a page. */
export interface Title {
  /** Its name, as in `barge-put`. */
  readonly name: string;
  readonly section: 1 | 5;
  /** The version of the program. */
  readonly version: string;
  /** The time of the commit, in seconds since 1970. */
  readonly time: number;
  /** One line, for `whatis`. */
  readonly brief: string;
}

/** An entry of a list: a term in roff, and its text as written. */
export type Term = readonly [term: string, text: string];

/** Returns the beginning of a page, up to the section NAME. */
export function header({ name, section, version, time, brief }: Title): string {
  const day = new Date(time * 1000).toISOString().slice(0, 10);
  const manual = section === 1 ? "User Commands" : "File Formats";
  const title = [name.toUpperCase(), String(section), day, `barge ${version}`, manual];
  return [
    `.TH ${title.map((word) => `"${escape(word)}"`).join(" ")}`,
    ".nh", // no hyphenation, and no adjustment to the right margin
    ".ad l",
    ".SH NAME",
    `${escape(name)} \\- ${styled(brief)}`,
  ].join("\n");
}

/** Returns a section. @param parts in roff */
export function section(name: string, ...parts: readonly string[]): string {
  return [`.SH "${escape(name)}"`, ...parts].join("\n");
}

/** Returns paragraphs. @param text an empty line begins a new one */
export function paragraphs(text: string): string {
  return text.trim().split(/\n\s*\n/).map((paragraph) => `.PP\n${line(styled(paragraph))}`)
    .join("\n");
}

/** Returns a list of terms, each with an indented text. */
export function terms(list: readonly Term[]): string {
  return list.map(([term, text]) => `.TP\n${line(term)}\n${line(styled(text))}`).join("\n");
}

/** Returns an example: a purpose, and lines as they are typed. */
export function example(purpose: string, lines: string): string {
  const shown = lines.split("\n").map((text) => line(escape(text)));
  return [".PP", line(styled(purpose)), ".RS 4", ".EX", ...shown, ".EE", ".RE"].join("\n");
}

export function bold(text: string): string {
  return `\\fB${escape(text)}\\fR`;
}

export function italic(text: string): string {
  return `\\fI${escape(text)}\\fR`;
}

/** Returns a reference to another page: `barge-put(1)`. */
export function reference(name: string, section: 1 | 5): string {
  return `${bold(name)}(${section})`;
}

/** Returns text with its white space joined, and what stands in backticks in bold. */
export function styled(text: string): string {
  return text.trim().replace(/\s+/g, " ").split("`")
    .map((part, i) => i % 2 === 1 ? bold(part) : escape(part)).join("");
}

/** Escapes the characters that roff changes or takes for commands. */
export function escape(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga").replaceAll("~", "\\(ti").replaceAll("^", "\\(ha")
    .replaceAll('"', "\\(dq");
}

/** Returns a line of text, which roff would take for a request if it began with a dot. */
function line(roff: string): string {
  return roff.startsWith(".") ? `\\&${roff}` : roff;
}
