/** Reads a verb's command line. */
import type { Command } from "./command.ts";
import { read } from "./read.ts";

/** Does a command line ask for help? What is behind `--` is not looked at. */
export function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  const own = end < 0 ? args : args.slice(0, end);
  return own.includes("--help") || own.includes("-h");
}

/**
 * Reads the options and arguments of a verb.
 *
 * @param name the verb, for instance `user add`
 * @throws {BargeError} `usage`
 */
export async function parseArgs<T>(
  name: string,
  command: Command<T>,
  args: readonly string[],
): Promise<T> {
  const values = read(command.options, args);
  if (values !== undefined) return values;
  const { parseAll } = await import("./optique.ts");
  return parseAll(name, command, args) as T;
}
