/** The loops of the shell: with a person at a terminal, and with commands from a pipe. */
import { BargeError, typed } from "../../core/error.ts";
import { otherCode } from "../_term/exit.ts";
import { note, writeError } from "../_term/out.ts";
import { printable } from "../../core/protocol/printable.ts";
import { complete } from "./complete.ts";
import { Editor } from "./editor.ts";
import { History, historyPath } from "./history.ts";
import type { Link } from "./link.ts";
import { Listings } from "./listings.ts";
import { expandChoice, menuLines } from "./menu.ts";
import { home } from "./paths.ts";
import type { Shell } from "./command.ts";
import { runLine } from "./run.ts";
import { rows } from "./commands.ts";

export interface LoopOptions {
  readonly json: boolean;
  readonly debug: boolean;
  readonly signal: AbortSignal;
}

/**
 * Prompts for commands until the person leaves.
 *
 * @param menu show the menu of common commands before the first prompt
 * @returns the exit code: 0, or 130 after Ctrl-C
 */
export async function interact(
  link: Link,
  { json, debug, signal, menu = false }: LoopOptions & { readonly menu?: boolean },
): Promise<number> {
  let command: AbortController | undefined;
  const history = new History(historyPath());
  const shell: Shell = {
    link,
    json,
    debug,
    interactive: true,
    folder: home,
    note,
    aside: (work) => editor.aside(work),
  };
  const listings = new Listings(shell);
  using editor: Editor = new Editor({
    history: history.lines,
    complete: (line) => complete(line, rows, listings),
    onCancel() {
      if (!command || command.signal.aborted) Deno.exit(130); // the first Ctrl-C did not stop it
      command.abort(new BargeError("interrupted", "interrupted"));
    },
  });
  const stop = () => editor.end();
  signal.addEventListener("abort", stop, { once: true });
  note(`logged in at ${place(link)}; \`help\` lists the commands`);
  if (menu) menuLines().forEach((line) => note(line));
  try {
    for (;;) {
      const input = await editor.read(`${printable(`${place(link)}:${shell.folder}`)}> `);
      const line = input === null
        ? null
        : await expandChoice(input, (question) => editor.read(question));
      if (line === null) break;
      history.add(line);
      command = new AbortController();
      const anySignal = AbortSignal.any([signal, command.signal]);
      const { leave } = await runLine(shell, rows, line, anySignal);
      command = undefined;
      listings.clear();
      if (leave) return 0;
    }
    if (!signal.aborted && !editor.interrupted) writeError("\n");
    signal.throwIfAborted();
    return editor.interrupted ? 130 : 0;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/**
 * Runs the commands of standard input, one a line.
 *
 * @param keepGoing continue when a command fails
 * @returns the exit code of the failure that ended it; with `keepGoing` the code that all failures
 *   share, else 1
 */
export async function runScript(
  link: Link,
  input: ReadableStream<Uint8Array>,
  { json, debug, signal, keepGoing }: LoopOptions & { readonly keepGoing: boolean },
): Promise<number> {
  const shell: Shell = {
    link,
    json,
    debug,
    interactive: false,
    folder: home,
    note: () => {},
    aside: (work) => work(),
  };
  const codes = new Set<number>();
  let number = 0;
  for await (const line of lines(input, signal)) {
    number++;
    const { code, leave } = await runLine(shell, rows, line, signal);
    if (code !== 0) {
      codes.add(code);
      if (!keepGoing || signal.aborted) {
        if (!signal.aborted) note(`(stopped at line ${number}: ${line})`);
        return code;
      }
    }
    if (leave) break;
  }
  const [first = 0] = codes;
  return codes.size > 1 ? otherCode : first;
}

/**
 * Yields lines of text.
 *
 * @throws {BargeError} `usage` for text that is not UTF-8; the signal's reason
 */
export async function* lines(
  input: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<string, void, void> {
  const reader = input.getReader();
  const stop = () => reader.cancel().catch(() => {/* the input is not used any more */});
  signal.addEventListener("abort", stop, { once: true });
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  try {
    for (let over = false; !over;) {
      const { done, value } = await reader.read();
      over = done;
      rest += decoder.decode(value, { stream: !done });
      const parts = rest.split("\n");
      rest = over ? "" : parts.pop()!;
      for (const line of parts) {
        signal.throwIfAborted();
        if (!over || line !== "") yield line.replace(/\r$/, "");
      }
    }
    signal.throwIfAborted();
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    if (!(cause instanceof TypeError)) throw typed(cause, { op: "read", path: "standard input" });
    throw new BargeError("usage", "it is not UTF-8", { op: "read", path: "standard input" });
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

/** Returns ACCOUNT@HOST, with the port unless it is the default. */
function place({ account, remote: { host, port } }: Link): string {
  return `${account}@${host}${port === 7171 ? "" : `:${port}`}`;
}
