/** The types of a shell command, and the parsing of its arguments. */
import { BargeError } from "../../core/error.ts";
import type { Link } from "./link.ts";
import type { Word } from "./words.ts";

/** The kind of an argument, for completion. `home` and `public`: a remote path that starts there. */
export type Kind =
  | "remote"
  | "remote-folder"
  | "home"
  | "public"
  | "local"
  | "local-folder"
  | "command"
  | "algorithm"
  | "text";

export interface Shell {
  readonly link: Link;
  readonly json: boolean;
  readonly debug: boolean;
  /** Whether a person is at a terminal. */
  readonly interactive: boolean;
  /** The remote working folder, without a slash at its end. */
  folder: string;
  /** Prints a note for a person; does nothing in a script. */
  note(text: string): void;
  /** Runs work that prompts on the terminal. */
  aside<T>(work: () => Promise<T>): Promise<T>;
}

export interface Call {
  readonly shell: Shell;
  readonly args: readonly string[];
  /** The letters of the given flags. */
  readonly flags: ReadonlySet<string>;
  /** Aborted by Ctrl-C, which also cuts the connection. */
  readonly signal: AbortSignal;
  readonly rows: readonly Row[];
}

export interface Row {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** Its arguments, as help shows them: one in brackets may be left out, one with dots repeated. */
  readonly args?: string;
  /** The kinds of its arguments. */
  readonly takes?: readonly Kind[];
  /** The meaning of each letter. */
  readonly flags?: Readonly<Record<string, string>>;
  readonly brief: string;
  /** Further text for `help COMMAND`. */
  readonly about?: string;
  /** Runs the command. @returns an exit code if failures were reported already */
  readonly run: (call: Call) => Promise<number | void> | void;
  /** Leaves the shell afterwards. */
  readonly leaves?: boolean;
}

export function findRow(rows: readonly Row[], name: string): Row | undefined {
  return rows.find((row) => row.name === name || row.aliases?.includes(name));
}

/**
 * Sorts the words after a command's name into flags and arguments. A word with an unquoted dash at
 * its start holds flags; `--` ends the flags.
 *
 * @throws {BargeError} `usage`
 */
export function readArguments(
  row: Row,
  words: readonly Word[],
): { args: string[]; flags: Set<string> } {
  const args: string[] = [];
  const flags = new Set<string>();
  const invalid = (why: string) => {
    return new BargeError("usage", why, { op: row.name, hint: `use: ${usage(row)}` });
  };
  let onlyArguments = false;
  for (const { text, raw } of words) {
    if (!onlyArguments && raw === "--") onlyArguments = true;
    else if (onlyArguments || !raw.startsWith("-") || raw === "-") args.push(text);
    else {
      for (const letter of text.slice(1)) {
        if (!row.flags || !Object.hasOwn(row.flags, letter)) {
          throw invalid(`there is no flag ${JSON.stringify(text)}`);
        }
        flags.add(letter);
      }
    }
  }
  const needed = row.args?.split(" ").filter((arg) => !arg.startsWith("[")).length ?? 0;
  if (args.length < needed) throw invalid("too few arguments");
  if (!repeats(row) && args.length > (row.takes?.length ?? 0)) throw invalid("too many arguments");
  return { args, flags };
}

/** Returns whether a command takes any number of arguments. */
export function repeats({ args = "" }: Row): boolean {
  return args.includes("...");
}

export function usage({ name, flags, args = "" }: Row): string {
  const letters = Object.keys(flags ?? {}).join("");
  return [name, letters && `[-${letters}]`, args].filter(Boolean).join(" ");
}
