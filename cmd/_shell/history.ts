/**
 * The history of the shell, in $XDG_STATE_HOME/barge/history, the newest line last.
 *
 * Only its owner can read the file, which is cut to its newest lines when it is opened. Several shells
 * append to it. Failures to save are ignored: the shell works without a history.
 */
import { dirname } from "node:path";

const maxLines = 1000;

/** Commands without arguments, behind which a password may be typed by mistake. */
const maybeSecret = /^\s*(passwd|login)\b\s*\S/;

/**
 * Returns whether a line may be saved: not if it starts with a space, as in other shells, or may
 * hold a password.
 */
export function isSavable(line: string): boolean {
  return line.trim() !== "" && !line.startsWith(" ") && !maybeSecret.test(line);
}

/** Returns the path of the history; undefined without a home. */
export function historyPath(): string | undefined {
  const xdg = Deno.env.get("XDG_STATE_HOME");
  if (xdg?.startsWith("/")) return `${xdg}/barge/history`;
  const home = Deno.env.get("HOME") || Deno.env.get("USERPROFILE");
  return home ? `${home}/.local/state/barge/history` : undefined;
}

export class History {
  readonly #path: string | undefined;
  /** The lines at the opening, the oldest first. */
  readonly lines: readonly string[];

  /** @param path undefined: nothing is saved */
  constructor(path: string | undefined) {
    this.#path = path;
    this.lines = path === undefined ? [] : load(path);
  }

  add(line: string): void {
    if (this.#path === undefined || !isSavable(line)) return;
    try {
      Deno.mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      Deno.writeTextFileSync(this.#path, `${line}\n`, { append: true, mode: 0o600 });
    } catch { /* the shell works without it */ }
  }
}

function load(path: string): string[] {
  try {
    const lines = Deno.readTextFileSync(path).split("\n").filter(isSavable);
    const newest = lines.slice(-maxLines);
    if (Deno.build.os !== "windows") Deno.chmodSync(path, 0o600);
    if (newest.length < lines.length) {
      const temporary = `${path}.${crypto.randomUUID()}`;
      Deno.writeTextFileSync(temporary, newest.join("\n") + "\n", { mode: 0o600 });
      Deno.renameSync(temporary, path);
    }
    return newest;
  } catch {
    return [];
  }
}
