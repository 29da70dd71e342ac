/**
 * One run of a program of the operator's, in the supervisor: told something on its standard input,
 * listened to on its standard error, and gone with all that it started when its time is up.
 *
 *   spawned, a process group of its own -> ended | stopped -> its group killed, output read -> reaped
 *
 * The group is killed also behind a program that has ended by itself: what it left running would hold
 * its output open, and no bound would hold for that. Only what has made itself a session of its own
 * (setsid) gets away. What it does not read, and what it writes beyond the bound, is nobody's error.
 */
import { accessSync, constants } from "node:fs";
import { resolve } from "node:path";
import { BargeError } from "../error.ts";

/** What came of a run. */
export interface Ended {
  /** The exit code, 128 and the signal's number for one that was killed. */
  readonly code: number;
  /** The beginning of what it wrote to standard error. */
  readonly said: string;
}

/** So much of a program's standard error is kept, in bytes. */
const kept = 4096;
/** How long the end of its output is waited for when it has ended, in ms. */
const trailing = 1000;
/** All that a program has of the server's environment; above all not BARGE_PASSWORD. */
const passed = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR"];
const unix = Deno.build.os !== "windows";

/** Those that run now: they go when the server goes. */
const running = new Set<Deno.ChildProcess>();
globalThis.addEventListener("unload", () => running.forEach(kill));

/**
 * Finds a program as a shell would: by its path, or by its name in PATH.
 *
 * @returns its absolute path
 * @throws {BargeError} `usage` when there is none, or it can't be executed
 */
export function findProgram(name: string): string {
  const folders = Deno.env.get("PATH")?.split(unix ? ":" : ";").filter(Boolean) ?? [];
  const places = /[/\\]/.test(name) ? [name] : folders.map((folder) => `${folder}/${name}`);
  const found = places.find(executable);
  if (found !== undefined) return resolve(found);
  const there = places.some((place) => isFile(place));
  throw new BargeError("usage", there ? "it is not executable" : "there is no such program", {
    path: name,
    hint: there ? "chmod +x it" : "name it by its absolute path",
  });
}

/**
 * Runs a program to its end.
 *
 * @param command the program's path, and its arguments
 * @param input what it finds on standard input
 * @param stop kills it, and what it started
 * @throws why `stop` was aborted; {BargeError}, or what the system says, when it can't be started
 */
export async function runProgram(
  command: readonly string[],
  input: Uint8Array<ArrayBuffer>,
  stop: AbortSignal,
): Promise<Ended> {
  stop.throwIfAborted();
  const child = new Deno.Command(command[0], {
    args: command.slice(1),
    clearEnv: true,
    env: environment(),
    detached: true,
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  running.add(child);
  const end = () => kill(child);
  stop.addEventListener("abort", end, { once: true });
  const fed = feed(child.stdin, input);
  const output = listen(child.stderr);
  try {
    const { code } = await child.status;
    end();
    const said = await output.end();
    await fed;
    stop.throwIfAborted();
    return { code, said };
  } finally {
    stop.removeEventListener("abort", end);
    running.delete(child);
  }
}

function environment(): Record<string, string> {
  const all = passed.map((name) => [name, Deno.env.get(name)] as const);
  return Object.fromEntries(all.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

/** Kills a program's group; what is gone already is gone. */
function kill({ pid }: Deno.ChildProcess): void {
  try {
    Deno.kill(unix ? -pid : pid, "SIGKILL");
  } catch { /* nothing of it is left */ }
}

/** A program need not read what it is told: it may have ended before. */
async function feed(stdin: WritableStream<Uint8Array>, input: Uint8Array): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(input);
    await writer.close();
  } catch { /* it has closed its end */ }
}

/** Reads all, and keeps the beginning. */
function listen(stderr: ReadableStream<Uint8Array>): { end(): Promise<string> } {
  const reader = stderr.getReader();
  const bytes = new Uint8Array(kept);
  let used = 0;
  const reading = (async () => {
    try {
      for (let piece; (piece = await reader.read()).value !== undefined;) {
        const part = piece.value.subarray(0, kept - used);
        bytes.set(part, used);
        used += part.length;
      }
    } catch { /* what was read is what there is */ }
  })();
  return {
    async end() {
      // Something that got away may hold it open.
      const cut = setTimeout(() => void reader.cancel().catch(() => {}), trailing);
      await reading;
      clearTimeout(cut);
      return new TextDecoder().decode(bytes.subarray(0, used));
    },
  };
}

function executable(path: string): boolean {
  if (!isFile(path)) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
