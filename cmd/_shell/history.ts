/**
 * Lines that were typed, kept for the next time in $XDG_STATE_HOME/barge/history, the newest last.
 *
 * The file is readable by nobody else and is cut to its newest lines when it is opened. Shells that
 * run at once append to it. What can't be kept is not: the shell works without a history.
 */
import { dirname } from "node:path";

/** Lines. */
const most = 1000;

/** Commands whose arguments, which they don't take, might be a password typed too early. */
const secret = /^\s*(passwd|login)\b\s*\S/;

/**
 * May a line be kept? Not with a space in front, as in other shells, nor with what might be a
 * password in it.
 *
 * @example
 * ```ts
 * import { worthy } from "./history.ts";
 * if (!worthy("get a") || worthy(" get a") || worthy("passwd hunter2")) throw new Error();
 * ```
 */
export function worthy(line: string): boolean {
  return line.trim() !== "" && !line.startsWith(" ") && !secret.test(line);
}

/** Where the history is kept; undefined when there is no home. */
export function historyPath(): string | undefined {
  const xdg = Deno.env.get("XDG_STATE_HOME");
  if (xdg?.startsWith("/")) return `${xdg}/barge/history`;
  const home = Deno.env.get("HOME") || Deno.env.get("USERPROFILE");
  return home ? `${home}/.local/state/barge/history` : undefined;
}

export class History {
  readonly #path: string | undefined;
  /** As they were when it was opened, the oldest first. */
  readonly lines: readonly string[];

  /** @param path undefined: nothing is kept */
  constructor(path: string | undefined) {
    this.#path = path;
    this.lines = path === undefined ? [] : load(path);
  }

  /** Keeps a line. */
  add(line: string): void {
    if (this.#path === undefined || !worthy(line)) return;
    try {
      Deno.mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      Deno.writeTextFileSync(this.#path, `${line}\n`, { append: true, mode: 0o600 });
    } catch { /* it can't be kept */ }
  }
}

function load(path: string): string[] {
  try {
    const lines = Deno.readTextFileSync(path).split("\n").filter(worthy);
    const newest = lines.slice(-most);
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
