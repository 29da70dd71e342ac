/** The result of a program. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end and returns its output, without colors. */
export async function finish(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Finished> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd: options.cwd,
    env: { NO_COLOR: "1", ...options.env },
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** Runs a program that must succeed and returns its standard output. */
export async function must(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const { code, stdout, stderr } = await finish(program, args, options);
  if (code !== 0) {
    throw new Error(`${program} ${args[0] ?? ""} failed with exit code ${code}:\n${stderr}`);
  }
  return stdout;
}

/** Writes one line to standard error. */
export function say(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(line + "\n"));
}

/** The repository's folder. */
export const ROOT: string = new URL("..", import.meta.url).pathname.replace(/\/$/, "");

/**
 * Reads `--name N` options, integers all.
 *
 * @param defaults all options with their default values
 * @throws {Error} for anything else
 */
export function numbers<T extends Record<string, number>>(args: readonly string[], defaults: T): T {
  const values: Record<string, number> = { ...defaults };
  for (let i = 0; i < args.length; i += 2) {
    const name = args[i].replace(/^--/, "");
    const value = Number(args[i + 1]);
    if (!Object.hasOwn(defaults, name) || !Number.isSafeInteger(value) || value < 0) {
      const known = Object.keys(defaults).map((key) => `--${key} N`).join(", ");
      throw new Error(`${args[i]} ${args[i + 1]}: the options are ${known}`);
    }
    values[name] = value;
  }
  return values as T;
}
