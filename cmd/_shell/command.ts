/** What a command of the shell is: a row of its table, and what that row's `run` is given. */
import { BargeError } from "../../core/error.ts";
import type { Link } from "./link.ts";
import type { Word } from "./words.ts";

/** What an argument is, for the completion. `home` and `public`: a remote path that starts there. */
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

/** The shell's state. */
export interface Shell {
  readonly link: Link;
  readonly json: boolean;
  readonly debug: boolean;
  /** Is a person at a terminal? */
  readonly interactive: boolean;
  /** The remote working folder, without a slash at its end. */
  folder: string;
  /** Tells a person that something was done; a script hears nothing. */
  say(text: string): void;
  /** Lets something else ask questions on the terminal. */
  aside<T>(work: () => Promise<T>): Promise<T>;
}

/** One command being run. */
export interface Call {
  readonly shell: Shell;
  readonly args: readonly string[];
  /** The letters of the flags that were given. */
  readonly flags: ReadonlySet<string>;
  /** Aborted by Ctrl-C; the connection is cut then, too. */
  readonly signal: AbortSignal;
  readonly rows: readonly Row[];
}

export interface Row {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** Its arguments, as help shows them. */
  readonly args: string;
  readonly takes: readonly Kind[];
  /** How many arguments it needs, 0 by default. */
  readonly least?: number;
  /** The last argument may be repeated. */
  readonly many?: boolean;
  /** Letters, and what they do. */
  readonly flags?: Readonly<Record<string, string>>;
  readonly brief: string;
  /** More for `help COMMAND`. */
  readonly about?: string;
  /** Does it. @returns an exit code where failures were reported already */
  readonly run: (call: Call) => Promise<number | void> | void;
  /** Leaves the shell afterwards. */
  readonly leaves?: boolean;
}

/** Finds a command by its name or another name of it. */
export function findRow(rows: readonly Row[], name: string): Row | undefined {
  return rows.find((row) => row.name === name || row.aliases?.includes(name));
}

/**
 * Sorts the words behind a command's name into flags and arguments. A word that was typed with a
 * dash at its start is flags; `--` ends them, and quotes hide the dash.
 *
 * @throws {BargeError} `usage`
 */
export function readArguments(
  row: Row,
  words: readonly Word[],
): { args: string[]; flags: Set<string> } {
  const args: string[] = [];
  const flags = new Set<string>();
  const wrong = (why: string) => {
    return new BargeError("usage", why, { op: row.name, hint: `use: ${usage(row)}` });
  };
  let ended = false;
  for (const { text, raw } of words) {
    if (!ended && raw === "--") ended = true;
    else if (ended || !raw.startsWith("-") || raw === "-") args.push(text);
    else {
      for (const letter of text.slice(1)) {
        if (!row.flags || !Object.hasOwn(row.flags, letter)) {
          throw wrong(`there is no flag ${JSON.stringify(text)}`);
        }
        flags.add(letter);
      }
    }
  }
  if (args.length < (row.least ?? 0)) throw wrong("too few arguments");
  if (!row.many && args.length > row.takes.length) throw wrong("too many arguments");
  return { args, flags };
}

/** A row's usage line. */
export function usage({ name, flags, args }: Row): string {
  const letters = Object.keys(flags ?? {}).join("");
  return [name, letters && `[-${letters}]`, args].filter(Boolean).join(" ");
}
