/**
 * Runs an operator's program in the supervisor, with its input, and reads its standard error.
 *
 *   spawned in its own process group -> ended | stopped -> group killed, output read -> reaped
 *
 * The group is killed also after a normal end, since a process that the program left running would hold its
 * output open. Only a process that starts a session of its own (setsid) escapes.
 */
import { accessSync, constants } from "node:fs";
import { resolve } from "node:path";
import { BargeError } from "../../error.ts";

/** The result of a run. */
export interface ProgramResult {
  /** The exit code; 128 plus the signal's number for a killed program. */
  readonly code: number;
  /** The beginning of its standard error. */
  readonly stderr: string;
}

const maxStderrBytes = 4096;
/** How long to wait for the end of the output after the program has ended. */
const outputEndTimeoutMs = 1000;
/** The environment of a program. The server's has secrets, such as BARGE_PASSWORD. */
const passedVariables = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR"];
const unix = Deno.build.os !== "windows";

/** Running programs, which are killed when the server ends. */
const running = new Set<Deno.ChildProcess>();
globalThis.addEventListener("unload", () => running.forEach(kill));

/**
 * Finds a program as a shell does: by its path, or by its name in PATH.
 *
 * @returns its absolute path
 * @throws {BargeError} `usage` when it does not exist, or can't be executed
 */
export function findProgram(name: string): string {
  const folders = Deno.env.get("PATH")?.split(unix ? ":" : ";").filter(Boolean) ?? [];
  const candidates = /[/\\]/.test(name) ? [name] : folders.map((folder) => `${folder}/${name}`);
  const program = candidates.find(isExecutable);
  if (program !== undefined) return resolve(program);
  const exists = candidates.some(isFile);
  throw new BargeError("usage", exists ? "it is not executable" : "there is no such program", {
    path: name,
    hint: exists ? "chmod +x it" : "name it by its absolute path",
  });
}

/**
 * Runs a program to its end.
 *
 * @param command the program's path, and its arguments
 * @param input its standard input
 * @param stop kills the program's process group
 * @throws the reason of `stop`; {BargeError} or the system's error when it can't be started
 */
export async function runProgram(
  command: readonly string[],
  input: Uint8Array<ArrayBuffer>,
  stop: AbortSignal,
): Promise<ProgramResult> {
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
  // A program need not read its input.
  const inputWritten = ReadableStream.from([input]).pipeTo(child.stdin).catch(() => {});
  const output = readStart(child.stderr);
  try {
    const { code } = await child.status;
    end();
    const stderr = await output.end();
    await inputWritten;
    stop.throwIfAborted();
    return { code, stderr };
  } finally {
    stop.removeEventListener("abort", end);
    running.delete(child);
  }
}

function environment(): Record<string, string> {
  const all = passedVariables.map((name) => [name, Deno.env.get(name)] as const);
  return Object.fromEntries(all.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

/** Kills a program's process group. */
function kill({ pid }: Deno.ChildProcess): void {
  try {
    Deno.kill(unix ? -pid : pid, "SIGKILL");
  } catch { /* the group has ended */ }
}

/** Reads a stream to its end and keeps its first {@link maxStderrBytes}. */
function readStart(stderr: ReadableStream<Uint8Array>): { end(): Promise<string> } {
  const bytes = new Uint8Array(maxStderrBytes);
  let length = 0;
  const write = (chunk: Uint8Array) => {
    const part = chunk.subarray(0, maxStderrBytes - length);
    bytes.set(part, length);
    length += part.length;
  };
  const late = new AbortController();
  const { signal } = late;
  const reading = stderr.pipeTo(new WritableStream({ write }), { signal }).catch(() => {});
  return {
    async end() {
      // A process with a session of its own may hold the stream open.
      const timer = setTimeout(() => late.abort(), outputEndTimeoutMs);
      await reading;
      clearTimeout(timer);
      return new TextDecoder().decode(bytes.subarray(0, length));
    },
  };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return isFile(path);
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
