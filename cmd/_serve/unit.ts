/** `barge serve --print-unit` and `--print-socket`: prints systemd units for the same command line. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { BargeError } from "../../core/error.ts";
import { type Address, socketPathOf } from "../../core/net/address.ts";
import { findProgram } from "../../core/serve/hooks/program.ts";
import { socketUnit } from "../../core/serve/systemd/socket_unit.ts";
import { systemdUnit } from "../../core/serve/systemd/unit.ts";
import type { Option, Options } from "../_term/command.ts";
import { note, print } from "../_term/out.ts";
import type { Sources } from "../_term/source.ts";
import { lineOf, wordsOf } from "./hooks.ts";
import { secretFilesOf, type SecretValues } from "./secret_files.ts";

/** The program of the unit, if barge does not run from an executable of its own. */
const defaultProgram = "/usr/local/bin/barge";

/** The values that decide about the unit. */
interface UnitValues extends SecretValues {
  readonly data: string;
  readonly grace: number;
  readonly config?: string;
  readonly onCommit?: string;
  readonly checkUpload?: string;
}

/**
 * Prints the unit.
 *
 * @param args the words after `serve` on the command line
 * @throws {BargeError} `usage` for the options of storage that many machines share, whose secrets the user of
 *   the unit could not read
 */
export function printUnit(
  args: readonly string[],
  values: UnitValues & { readonly doors: readonly (Address | null)[] },
  { options, sources }: { readonly options: Options<unknown>; readonly sources: Sources },
): void {
  const onLine = (key: string) => sources.get(key)?.origin === "command line";
  if (onLine("store") || onLine("bucket")) {
    throw new BargeError("usage", "--print-unit does not take --store and --bucket", {
      hint: "print the unit without them, and name the storage and its secrets as variables in a " +
        "file for EnvironmentFile=",
    });
  }
  const low = (address: Address | null) =>
    address !== null && address.port > 0 && address.port < 1024;
  const { config, onCommit, checkUpload, grace } = values;
  const data = sources.has("data") ? resolve(values.data) : undefined;
  const inFile = (key: string) => sources.get(key)?.origin === "file";
  const all = Object.entries<Option<unknown>>(options);
  const files = all.filter(([, { parser }]) => parser.suggest === "any")
    .flatMap(([key]) => sources.get(key)?.texts ?? []).map((path) => resolve(path));
  const added = [
    ...(sources.get("config")?.origin === "environment" ? ["--config", resolve(config ?? "")] : []),
    // With a configuration file the default grace stays out, so that the file can set it later.
    ...(config !== undefined && (inFile("grace") || !sources.has("grace"))
      ? []
      : ["--grace", String(grace)]),
    ...(data === undefined || inFile("data") ? [] : ["--data", data]),
  ];
  const text = systemdUnit({
    program: Deno.build.standalone ? Deno.execPath() : defaultProgram,
    args: [...keptArguments(args, all.map(([, option]) => option)), ...added],
    data,
    user: data && ownerOf(data),
    grace,
    lowPort: values.doors.some(low),
    sockets: values.doors.map((address) => address && socketPathOf(address))
      .filter((path) => typeof path === "string"),
    config: config && resolve(config),
    files,
    secrets: secretFilesOf(values).map(({ path }) => resolve(path)),
    hooks: [onCommit, checkUpload].filter((line) => line !== undefined),
  });
  for (const line of text.trimEnd().split("\n")) print(line);
  if (!Deno.build.standalone && !existsSync(defaultProgram)) {
    note(`(the unit runs ${defaultProgram}: put the executable there)`);
  }
}

/** Prints the socket unit of the open doors. @throws {BargeError} `usage`, as `socketUnit` */
export function printSocketUnit(doors: readonly (Address | null)[], mode: number): void {
  const open = doors.filter((address) => address !== null);
  for (const line of socketUnit(open, mode).trimEnd().split("\n")) print(line);
}

/** Options that the unit sets itself, or that are for a single start. */
const droppedOptions = new Set([
  "--print-unit",
  "--print-socket",
  "--adopt", // in a unit it would hide a lost database at each start
  "--data",
  "--grace",
  "--ready-fd",
]);

/**
 * Returns the arguments of the unit, with absolute paths, since a service starts in `/`.
 *
 * @throws {BargeError} `usage` for a missing program
 */
function keptArguments(args: readonly string[], options: readonly Option<unknown>[]): string[] {
  const result: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const [, name, text] = /^(--[^=]+)(?:=([^]*))?$/.exec(args[i]) ?? [];
    const option = options.find(({ names }) => names.includes(name ?? ""));
    if (name === undefined || option === undefined || option.kind === "flag") {
      if (!droppedOptions.has(name ?? "")) result.push(args[i]);
      continue;
    }
    const value = text ?? args[++i] ?? "";
    if (droppedOptions.has(name)) continue;
    if (option.parser.suggest === "any") {
      result.push(name, resolve(value));
    } else if (option.parser.metavar === "CMD") {
      const [program, ...rest] = wordsOf(value) ?? [""];
      result.push(name, lineOf([findProgram(program), ...rest]));
    } else {
      result.push(name, value);
    }
  }
  return result;
}

/** Returns the user id of a folder's owner; undefined for root, and for a missing folder. */
function ownerOf(path: string): string | undefined {
  try {
    const { uid } = Deno.statSync(path);
    return uid ? String(uid) : undefined; // a server does not need to be root
  } catch {
    return undefined;
  }
}
