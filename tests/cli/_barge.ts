/** The real program, run by a person with a home of their own. */

const main = new URL("../../main.ts", import.meta.url).pathname;
const permissions = ["--allow-all"];

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** A command that runs the one behind it. */
  readonly under?: readonly string[];
}

/** A folder with nothing in it, the home and the working directory of what is run. */
export class Home implements AsyncDisposable {
  readonly path: string;

  constructor() {
    this.path = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "barge-home-" }));
  }

  /** Starts the program. */
  spawn(args: readonly string[], options: RunOptions = {}): Deno.ChildProcess {
    const { DENO_DIR, HOME = "/", PATH = "" } = Deno.env.toObject();
    const program = [Deno.execPath(), "run", "--quiet", ...permissions, main, ...args];
    const [command, ...words] = [...options.under ?? [], ...program];
    return new Deno.Command(command, {
      args: words,
      cwd: this.path,
      clearEnv: true,
      env: {
        PATH,
        DENO_DIR: DENO_DIR ?? `${HOME}/.cache/deno`,
        HOME: this.path,
        ...options.env,
      },
      stdin: options.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** Runs the program to its end. */
  async barge(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const child = this.spawn(args, options);
    if (options.stdin !== undefined) {
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(options.stdin));
      await writer.close();
    }
    const { code, stdout, stderr } = await child.output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** Each line of standard output, parsed. */
// deno-lint-ignore no-explicit-any
export function lines({ stdout }: Outcome): any[] {
  return stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}
