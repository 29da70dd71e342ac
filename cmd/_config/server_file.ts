/**
 * The server's configuration file, that of `--config`: the options of `serve` under their names, and in
 * the table [limits] those that `--limits` had.
 */
import type { Option, Options } from "../_term/command.ts";
import type { Sources } from "../_term/source.ts";
import { checkSettings, type Tables } from "./check.ts";
import { parseLimits } from "./limits_file.ts";
import { failureOf, type Problem } from "./setting.ts";
import { readConfigText } from "./text.ts";
import { parseToml } from "./toml.ts";

/**
 * Reads the files that `--config` and `--limits` name; a limit in the latter overrides the former.
 *
 * @param given the sources of these two options
 * @param options those of `serve`
 * @throws {BargeError} `usage`, with the place in the file; `fatal` or `denied` for an unusable file
 */
export function readServerFiles(given: Sources, options: Options<unknown>): Promise<Sources> {
  const config = given.get("config")?.texts[0];
  const limits = given.get("limits")?.texts[0];
  const files = [
    config === undefined ? undefined : readServerFile(config, options),
    limits === undefined ? undefined : readLimitsFile(limits, options),
  ];
  return Promise.resolve(new Map(files.flatMap((sources) => [...sources ?? []])));
}

/** Returns the options that a server's file sets, and its faults. @throws {BargeError} for an unreadable one */
export function checkServerFile(
  path: string,
  options: Options<unknown>,
): { readonly sources: Sources; readonly problems: readonly Problem[] } {
  const parsed = parseToml(readConfigText(path));
  if ("problem" in parsed) return { sources: new Map(), problems: [parsed.problem] };
  const { sources, problems } = checkSettings(parsed.settings, {
    tables: tablesOf(options),
    verbOf,
  }, path);
  return { sources: new Map([...sources.values()].flatMap((table) => [...table])), problems };
}

/** Returns the tables of the server's file with their options. */
export function tablesOf(options: Options<unknown>): Tables {
  const rows = Object.entries<Option<unknown>>(options);
  const pick = (isLimit: boolean) =>
    Object.fromEntries(rows.filter(([, { place }]) => (place === "limits") === isLimit));
  return new Map([["", pick(false)], ["limits", pick(true)]]);
}

function readServerFile(path: string, options: Options<unknown>): Sources {
  const { sources, problems } = checkServerFile(path, options);
  if (problems.length > 0) throw failureOf(problems, path, `barge config check ${path}`);
  return sources;
}

/** Returns the verb of each table. */
function verbOf(): string {
  return "serve";
}

function readLimitsFile(path: string, options: Options<unknown>): Sources {
  const limits = tablesOf(options).get("limits")!;
  const settings = parseLimits(readConfigText(path), path);
  const { sources, problems } = checkSettings(
    settings,
    { tables: new Map([["", limits]]), verbOf },
    path,
  );
  if (problems.length > 0) throw failureOf(problems, path);
  return sources.get("")!;
}
