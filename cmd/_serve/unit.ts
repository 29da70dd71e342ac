/** `barge serve --print-unit`: the unit that serves as this command line would. */
import { resolve } from "node:path";
import type { Address } from "../../core/net/address.ts";
import { findProgram } from "../../core/serve/program.ts";
import { systemdUnit } from "../../core/serve/unit.ts";
import { isDataNamed } from "../_term/options.ts";
import { note, print } from "../_term/out.ts";
import { lineOf, wordsOf } from "./hooks.ts";

/** Where `barge` is said to be where the runtime can't tell: it was unpacked, or runs the sources. */
const usual = "/usr/local/bin/barge";
/** Options that the unit has its own of, or that make no sense there, and whether a value follows. */
const dropped = new Map([
  ["--print-unit", false],
  ["--adopt", false], // once, by hand: in a unit it would hide a lost database at each start
  ["--data", true],
  ["--grace", true],
  ["--ready-fd", true],
]);
const paths = new Set(["--tls-cert", "--tls-key", "--limits"]);
const programs = new Set(["--on-commit", "--check-upload"]);

/** @param args what follows `serve` on the command line */
export function printUnit(
  args: readonly string[],
  options: {
    readonly data: string;
    readonly grace: number;
    readonly doors: readonly (Address | null)[];
  },
): void {
  const data = isDataNamed() ? resolve(options.data) : undefined;
  const low = (address: Address | null) =>
    address !== null && address.port > 0 && address.port < 1024;
  const text = systemdUnit({
    program: Deno.build.standalone ? Deno.execPath() : usual,
    args: carried(args),
    data,
    user: data && ownerOf(data),
    grace: options.grace,
    lowPort: options.doors.some(low),
  });
  for (const line of text.trimEnd().split("\n")) print(line);
  if (!Deno.build.standalone) note(`(the unit runs ${usual}: put the executable there)`);
}

/**
 * The arguments that the unit keeps: local paths absolute, as a service starts in `/`.
 *
 * @throws {BargeError} `usage` for a program that is not here
 */
function carried(args: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const [, name, value] = /^(--[^=]+)(?:=([^]*))?$/.exec(args[i]) ?? [];
    if (name !== undefined && dropped.has(name)) {
      if (dropped.get(name) && value === undefined) i++;
    } else if (name !== undefined && paths.has(name)) {
      kept.push(name, resolve(value ?? args[++i] ?? ""));
    } else if (name !== undefined && programs.has(name)) {
      const [program, ...rest] = wordsOf(value ?? args[++i] ?? "") ?? [""];
      kept.push(name, lineOf([findProgram(program), ...rest]));
    } else {
      kept.push(args[i]);
    }
  }
  return kept;
}

/**
 * Returns the number of the user who owns a folder; undefined for root, and for a missing folder.
 */
function ownerOf(path: string): string | undefined {
  try {
    const { uid } = Deno.statSync(path);
    return uid ? String(uid) : undefined; // a server needs none of root's rights
  } catch {
    return undefined;
  }
}
