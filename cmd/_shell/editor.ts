/**
 * Reads lines from a terminal with node:readline. The terminal stays in raw mode while a command
 * runs, so that Ctrl-C is a key and does not end the program.
 *
 * States: reading (a prompt is shown), busy (a command runs; typed lines are queued, not shown),
 * aside (readline is closed while another prompt is shown), ended. Output goes to standard error, since
 * standard output is for the data of commands.
 */
import { createInterface, type Interface } from "node:readline";
import process from "node:process";
import { Writable } from "node:stream";
import { note, terminalWidth, writeError } from "../_term/out.ts";
import type { Offer } from "./complete.ts";
import { isSavable } from "./history.ts";

export interface EditorOptions {
  /** Earlier lines, the oldest first. */
  readonly history: readonly string[];
  readonly complete: (line: string) => Promise<Offer>;
  /** Called for Ctrl-C while a command runs. */
  readonly onCancel: () => void;
}

export class Editor implements Disposable {
  readonly #options: EditorOptions;
  readonly #screen = new Screen();
  readonly #resize = () => this.#screen.emit("resize");
  /** Lines that were typed while a command ran. */
  readonly #typedAhead: string[] = [];
  #history: string[];
  #readline: Interface | undefined;
  #onLine: ((line: string | null) => void) | undefined;
  #ended = false;
  /** True after Ctrl-C on an empty line; the next Ctrl-C ends the shell. */
  #hinted = false;
  #interrupted = false;

  constructor(options: EditorOptions) {
    this.#options = options;
    this.#history = options.history.toReversed();
    this.#readline = this.#open();
    if (Deno.build.os !== "windows") Deno.addSignalListener("SIGWINCH", this.#resize);
  }

  /** Whether Ctrl-C ended it. */
  get interrupted(): boolean {
    return this.#interrupted;
  }

  /** Shows the prompt. @returns the line; null at the end of the input */
  read(prompt: string): Promise<string | null> {
    const line = this.#typedAhead.shift();
    if (line !== undefined) {
      writeError(`${prompt}${line}\n`);
      return Promise.resolve(line);
    }
    if (this.#ended) return Promise.resolve(null);
    this.#readline ??= this.#open();
    this.#screen.muted = false;
    this.#readline.setPrompt(prompt);
    this.#readline.prompt(true);
    return new Promise((resolve) => this.#onLine = resolve);
  }

  /** Runs work that uses the terminal itself. */
  async aside<T>(work: () => Promise<T>): Promise<T> {
    const readline = this.#readline;
    this.#readline = undefined;
    readline?.close();
    try {
      return await work();
    } finally {
      this.#readline = this.#open();
      this.#screen.muted = true;
    }
  }

  end(): void {
    this.#ended = true;
    this.#answer(null);
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    if (Deno.build.os !== "windows") Deno.removeSignalListener("SIGWINCH", this.#resize);
    this.#screen.muted = true;
    this.#readline?.close();
    process.stdin.unref?.();
  }

  #open(): Interface {
    const readline = createInterface({
      input: process.stdin,
      output: this.#screen,
      terminal: true,
      history: this.#history,
      historySize: 1000,
      removeHistoryDuplicates: true,
      completer: (line: string, done: (error: null, offer: Offer) => void) => {
        const nothing: Offer = [[], line];
        const offer = this.#onLine ? this.#options.complete(line) : Promise.resolve(nothing);
        offer.catch(() => nothing).then((candidates) => {
          if (readline !== this.#readline) return;
          // Do not insert candidates if the line has changed meanwhile.
          const isSame = readline.line.slice(0, readline.cursor) === line;
          done(null, isSame ? candidates : nothing);
        });
      },
    });
    readline.on("history", (lines: string[]) => {
      if (lines.length > 0 && !isSavable(lines[0])) lines.shift();
      this.#history = lines;
    });
    readline.on("line", (line: string) => {
      if (readline !== this.#readline) return;
      this.#hinted = false;
      if (this.#onLine) this.#answer(line);
      else this.#typedAhead.push(line);
    });
    readline.on("close", () => {
      if (readline === this.#readline) this.end();
    });
    readline.on("SIGINT", () => this.#onInterrupt(readline));
    readline.on("SIGTSTP", () => {/* the shell can't be suspended */});
    return readline;
  }

  #answer(line: string | null): void {
    this.#screen.muted = true;
    const onLine = this.#onLine;
    this.#onLine = undefined;
    onLine?.(line);
  }

  #onInterrupt(readline: Interface): void {
    if (!this.#onLine) {
      this.#typedAhead.length = 0; // these lines expect the command to succeed
      clear(readline);
      this.#options.onCancel();
    } else if (readline.line !== "") {
      this.#hinted = false;
      readline.write(null, { ctrl: true, name: "e" });
      writeError("^C\n");
      clear(readline);
      readline.prompt();
    } else if (this.#hinted) {
      this.#interrupted = true;
      writeError("\n");
      this.end();
    } else {
      this.#hinted = true;
      writeError("\n");
      note("(press Ctrl-C again to leave, or use Ctrl-D or exit)");
      readline.prompt();
    }
  }
}

/** Clears the typed line, without output. */
function clear(readline: Interface): void {
  const state = readline as { line: string; cursor: number };
  state.line = "";
  state.cursor = 0;
}

/** Standard error as a terminal that can be muted. */
class Screen extends Writable {
  muted = false;
  readonly isTTY = true;

  get columns(): number {
    return terminalWidth();
  }

  override _write(
    chunk: Uint8Array | string,
    _encoding: string,
    done: (error?: Error | null) => void,
  ): void {
    if (!this.muted) {
      writeError(typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk));
    }
    done();
  }
}
