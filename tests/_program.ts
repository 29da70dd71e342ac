/**
 * The program that the tests start: the executable that the environment's BARGE_PROGRAM names, as in
 * `deno task test`, or this checkout in Deno, e.g. `deno test -A tests/cli`.
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const named = Deno.env.get("BARGE_PROGRAM");
const { HOME = "/", XDG_CACHE_HOME, DENO_DIR } = Deno.env.toObject();

/** Path of the executable under test; undefined for the checkout. */
export const executable: string | undefined = named ? resolve(named) : undefined;

const leakRoundsNamed = Deno.env.get("BARGE_LEAK_ROUNDS");
/**
 * Whether to run the many rounds that show a growth of memory, at the program under test, as
 * `deno task test:leaks` does. By default, few rounds count what this checkout's workers hold.
 */
export const longLeakTest = leakRoundsNamed !== undefined;

/** Returns the rounds of a test that looks for leaks. @param short the number by default */
export function leakRounds(short: number): number {
  return Number(leakRoundsNamed ?? short);
}

/** The words that start barge with these arguments: a program and its arguments. */
export function bargeCommand(args: readonly string[]): [string, ...string[]] {
  return executable ? [executable, ...args] : denoCommand([main, ...args]);
}

/** The words that run a script of this checkout with the permissions that barge has. */
export function denoCommand(args: readonly string[]): [string, ...string[]] {
  return [Deno.execPath(), "run", "--quiet", "--allow-all", ...args];
}

/**
 * Variables that a start with another HOME needs: the folders of what was downloaded or unpacked
 * already.
 */
export const caches: Readonly<Record<string, string>> = executable
  ? { XDG_CACHE_HOME: XDG_CACHE_HOME ?? `${HOME}/.cache` }
  : { DENO_DIR: DENO_DIR ?? `${HOME}/.cache/deno` };
