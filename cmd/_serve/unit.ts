/** `barge serve --print-unit`: prints a systemd unit for the same command line. */
import { resolve } from "node:path";
import { BargeError } from "../../core/error.ts";
import type { Address } from "../../core/net/address.ts";
import { findProgram } from "../../core/serve/program.ts";
import { systemdUnit } from "../../core/serve/systemd/unit.ts";
import { isDataNamed, isOnLine } from "../_term/command.ts";
import { note, print } from "../_term/out.ts";
import { lineOf, wordsOf } from "./hooks.ts";

/** The program of the unit, if barge does not run from an executable of its own. */
const defaultProgram = "/usr/local/bin/barge";
/** Options that the unit does not keep, and whether each has a value. */
const droppedOptions = new Map([
  ["--print-unit", false],
  ["--adopt", false], // in a unit it would hide a lost database at each start
  ["--data", true],
  ["--grace", true],
  ["--ready-fd", true],
]);
const pathOptions = new Set(["--tls-cert", "--tls-key", "--limits"]);
const programOptions = new Set(["--on-commit", "--check-upload"]);

/**
 * Prints the unit.
 *
 * @param args the words after `serve` on the command line
 * @throws {BargeError} `usage` for the options of storage that many machines share, whose secrets the user of
 *   the unit could not read
 */
export function printUnit(
  args: readonly string[],
  options: {
    readonly data: string;
    readonly grace: number;
    readonly doors: readonly (Address | null)[];
  },
): void {
  if (isOnLine("--store") || isOnLine("--bucket")) {
    throw new BargeError("usage", "--print-unit does not take --store and --bucket", {
      hint: "print the unit without them, and name the storage and its secrets as variables in a " +
        "file for EnvironmentFile=",
    });
  }
  const data = isDataNamed() ? resolve(options.data) : undefined;
  const low = (address: Address | null) =>
    address !== null && address.port > 0 && address.port < 1024;
  const text = systemdUnit({
    program: Deno.build.standalone ? Deno.execPath() : defaultProgram,
    args: keptArguments(args),
    data,
    user: data && ownerOf(data),
    grace: options.grace,
    lowPort: options.doors.some(low),
  });
  for (const line of text.trimEnd().split("\n")) print(line);
  if (!Deno.build.standalone) note(`(the unit runs ${defaultProgram}: put the executable there)`);
}

/**
 * Returns the arguments of the unit, with absolute paths, since a service starts in `/`.
 *
 * @throws {BargeError} `usage` for a missing program
 */
function keptArguments(args: readonly string[]): string[] {
  const result: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const [, name, value] = /^(--[^=]+)(?:=([^]*))?$/.exec(args[i]) ?? [];
    if (name !== undefined && droppedOptions.has(name)) {
      if (droppedOptions.get(name) && value === undefined) i++;
    } else if (name !== undefined && pathOptions.has(name)) {
      result.push(name, resolve(value ?? args[++i] ?? ""));
    } else if (name !== undefined && programOptions.has(name)) {
      const [program, ...rest] = wordsOf(value ?? args[++i] ?? "") ?? [""];
      result.push(name, lineOf([findProgram(program), ...rest]));
    } else {
      result.push(args[i]);
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
