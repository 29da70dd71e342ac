/**
 * The program that the tests start: this checkout in Deno, or the executable that the environment's
 * BARGE_PROGRAM names, e.g. `BARGE_PROGRAM=dist/barge deno task test tests/cli`.
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const named = Deno.env.get("BARGE_PROGRAM");
const { HOME = "/", XDG_CACHE_HOME, DENO_DIR } = Deno.env.toObject();

/** Path of the executable under test; undefined for the checkout. */
export const executable: string | undefined = named ? resolve(named) : undefined;

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
