/**
 * The line that a person types: node:readline, with the terminal in raw mode also while a command
 * runs, so that Ctrl-C is a key and not the end of the program.
 *
 * States: reading (a prompt is shown), busy (a command runs: what is typed is not shown, and waits),
 * aside (readline is closed, since something else asks), ended. Everything is written to standard
 * error: standard output is for the commands' data.
 */
import { createInterface, type Interface } from "node:readline";
import process from "node:process";
import { Writable } from "node:stream";
import { note, writeError } from "../_term/out.ts";
import type { Offer } from "./complete.ts";
import { worthy } from "./history.ts";

export interface EditorOptions {
  /** The oldest first. */
  readonly history: readonly string[];
  readonly complete: (line: string) => Promise<Offer>;
  /** Called for Ctrl-C while a command runs. */
  readonly onCancel: () => void;
}

export class Editor implements Disposable {
  readonly #options: EditorOptions;
  readonly #screen = new Screen();
  readonly #resize = () => this.#screen.emit("resize");
  /** Typed while a command ran. */
  readonly #ahead: string[] = [];
  #history: string[];
  #readline: Interface | undefined;
  #waiting: ((line: string | null) => void) | undefined;
  #ended = false;
  #hinted = false;
  #interrupted = false;

  constructor(options: EditorOptions) {
    this.#options = options;
    this.#history = options.history.toReversed();
    this.#readline = this.#open();
    if (Deno.build.os !== "windows") Deno.addSignalListener("SIGWINCH", this.#resize);
  }

  /** Did it end by Ctrl-C? */
  get interrupted(): boolean {
    return this.#interrupted;
  }

  /** Shows the prompt. @returns the line, or null when there will be no more */
  read(prompt: string): Promise<string | null> {
    const ahead = this.#ahead.shift();
    if (ahead !== undefined) {
      writeError(`${prompt}${ahead}\n`);
      return Promise.resolve(ahead);
    }
    if (this.#ended) return Promise.resolve(null);
    this.#readline ??= this.#open();
    this.#screen.muted = false;
    this.#readline.setPrompt(prompt);
    this.#readline.prompt(true);
    return new Promise((resolve) => this.#waiting = resolve);
  }

  /** Gives the terminal to something else for a while. */
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

  /** Ends the reading. */
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
        const offer = this.#waiting ? this.#options.complete(line) : Promise.resolve(nothing);
        offer.catch(() => nothing).then((found) => {
          if (readline !== this.#readline) return;
          // Who typed on while names were fetched gets nothing thrown in.
          const still = readline.line.slice(0, readline.cursor) === line;
          done(null, still ? found : nothing);
        });
      },
    });
    readline.on("history", (lines: string[]) => {
      if (lines.length > 0 && !worthy(lines[0])) lines.shift();
      this.#history = lines;
    });
    readline.on("line", (line: string) => {
      if (readline !== this.#readline) return;
      this.#hinted = false;
      if (this.#waiting) this.#answer(line);
      else this.#ahead.push(line);
    });
    readline.on("close", () => {
      if (readline === this.#readline) this.end();
    });
    readline.on("SIGINT", () => this.#onInterrupt(readline));
    readline.on("SIGTSTP", () => {/* stopping ourselves would need the right to run programs */});
    return readline;
  }

  #answer(line: string | null): void {
    this.#screen.muted = true;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(line);
  }

  #onInterrupt(readline: Interface): void {
    if (!this.#waiting) {
      this.#ahead.length = 0; // what was typed ahead was meant for a success
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
      note("(Ctrl-C once more leaves; so do Ctrl-D and exit)");
      readline.prompt();
    }
  }
}

/** Drops what is typed without a trace on the screen. */
function clear(readline: Interface): void {
  const state = readline as { line: string; cursor: number };
  state.line = "";
  state.cursor = 0;
}

/** Standard error as a terminal that can be silenced. */
class Screen extends Writable {
  muted = false;
  readonly isTTY = true;

  get columns(): number {
    try {
      return Deno.consoleSize().columns || 80;
    } catch {
      return 80;
    }
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
