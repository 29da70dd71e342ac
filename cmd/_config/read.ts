/** Reads the options of a verb from all sources: files, the environment and the command line. */
import type { AnyCommand, Option, Tree } from "../_term/command.ts";
import { givenOf, valuesOf } from "../_term/parse.ts";
import type { Reading } from "../_term/source.ts";
import { existingClientFile } from "./path.ts";

/**
 * Reads a verb's options and arguments.
 *
 * @param name the verb, for instance `user add`
 * @param args the words behind it
 * @param tree all verbs: the client's file may have a table for each of them
 * @throws {BargeError} `usage`; `fatal` or `denied` for a file that can't be used
 */
export async function readCommand(
  name: string,
  command: AnyCommand,
  args: readonly string[],
  tree: Tree,
): Promise<Reading<unknown>> {
  const given = givenOf(name, command, args);
  const files = await command.readFiles?.(given, command.options) ??
    await clientSources(name, command, tree);
  const sources = files ? new Map([...files, ...given]) : given;
  return { values: valuesOf(name, command, sources), sources };
}

/** The parser of the file is loaded only if the file exists: cron starts many clients. */
async function clientSources(name: string, { options }: AnyCommand, tree: Tree) {
  const isClient = Object.values<Option<unknown>>(options).some(({ place }) => place === "general");
  const path = isClient ? existingClientFile() : undefined;
  if (path === undefined) return undefined;
  const { readClientFile } = await import("./client_file.ts");
  return readClientFile(path, { name, options }, tree);
}
