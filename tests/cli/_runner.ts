/**
 * Many command lines in one process, for tables of cases: fifty starts of the program take three
 * seconds of CPU. The process runs this checkout, whatever program is under test.
 */
import { denoCommand } from "../_program.ts";
import type { Home, Outcome, RunOptions } from "./_barge.ts";

/** Runs command lines one after the other, with the home and the working directory of a person. */
export type Place = Pick<Home, "path" | "barge">;

export class Runner implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #outputs: readonly ReadableStreamDefaultReader<string>[];
  #last: Promise<unknown> = Promise.resolve();

  constructor() {
    const script = new URL("_runner_process.ts", import.meta.url).pathname;
    const [command, ...args] = denoCommand([script]);
    const { PATH = "", HOME = "/", DENO_DIR = `${HOME}/.cache/deno` } = Deno.env.toObject();
    this.#child = new Deno.Command(command, {
      args,
      clearEnv: true,
      env: { PATH, DENO_DIR },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdin = this.#child.stdin.getWriter();
    this.#outputs = [this.#child.stdout, this.#child.stderr].map((stream) =>
      stream.pipeThrough(new TextDecoderStream()).getReader()
    );
  }

  /** Returns a home whose command lines run in this process; they have no standard input. */
  at({ path }: Home): Place {
    const barge = (args: readonly string[], options: RunOptions = {}) => {
      if (options.stdin !== undefined || options.under) throw new TypeError("needs a process");
      const env = { HOME: path, ...options.env };
      const outcome = this.#last.then(() => this.#run(JSON.stringify({ args, cwd: path, env })));
      this.#last = outcome.catch(() => {/* its caller gets the failure */});
      return outcome;
    };
    return { path, barge };
  }

  async #run(line: string): Promise<Outcome> {
    await this.#stdin.write(new TextEncoder().encode(`${line}\n`));
    const [stdout, stderr] = await Promise.all(this.#outputs.map(readOutput));
    return { code: stdout.code, stdout: stdout.text, stderr: stderr.text };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    await this.#stdin.close();
    for (const output of this.#outputs) while (!(await output.read()).done);
    await this.#child.status;
  }
}

/** Reads the output of one command line, up to the exit code behind it. */
async function readOutput(reader: ReadableStreamDefaultReader<string>) {
  let text = "";
  for (;;) {
    const end = /\f(\d+)\n$/.exec(text);
    if (end) return { text: text.slice(0, end.index), code: Number(end[1]) };
    const { value, done } = await reader.read();
    if (done) throw new Error(`the process of the command lines has ended: ${text}`);
    text += value;
  }
}
