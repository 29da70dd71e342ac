/** The real program as child processes, with what they cost. */
import { fileURLToPath } from "node:url";
import { makeFolder, removeFolder, spawn } from "./leftovers.ts";
import { HEAP, UNSTABLE } from "../scripts/permissions.ts";
import { watchMemory } from "./memory_of.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const flags = ["run", "--quiet", "-A", ...UNSTABLE, ...HEAP];
/** Nothing of what the caller has set for a barge of theirs may reach the ones that are measured. */
const noise = Object.keys(Deno.env.toObject()).filter((name) => name.startsWith("BARGE_"));
for (const name of noise) Deno.env.delete(name);

let words: readonly string[] = [Deno.execPath(), ...flags, main];

/** From now on `barge` is an executable, instead of this checkout in Deno. */
export function useProgram(path: string): void {
  words = [path];
}

/** What to start for a command of barge: the program, and its arguments. */
export function bargeCommand(args: readonly string[]): [string, string[]] {
  return [words[0], [...words.slice(1), ...args]];
}

/** How a command went. */
export interface Run {
  readonly seconds: number;
  /** The most resident memory that was seen, in MiB. */
  readonly peak: number;
  readonly stdout: string;
}

export interface BenchOptions {
  /** Where its temporary directory is made; by default where the system has them. */
  readonly dir?: string;
}

/** A server on a temporary directory, with the account `bench`, password `bench`, and its token. */
export interface Bench extends AsyncDisposable {
  readonly folder: string;
  /** Where the account's files lie. */
  readonly home: string;
  /** HOST:PORT of the server's native door. */
  readonly address: string;
  /** HOST:PORT of each door that is open. */
  readonly facts: Readonly<Record<string, string | null>>;
  readonly server: Deno.ChildProcess;
  /** What a client's process must have set: the server, and where its login was saved. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs a command on its data directory, to its end. */
  admin(...args: string[]): Promise<Run>;
  /** Runs a client command against it, to its end. */
  run(...args: string[]): Promise<Run>;
}

/** @param args more options for `serve` */
export async function startBench(options: BenchOptions, ...args: string[]): Promise<Bench> {
  const folder = await makeFolder("barge-bench-", options.dir);
  const data = `${folder}/data`;
  const add = ["user", "add", "bench", "--password-stdin", "--quota", "none", "--data", data];
  await run(add, {}, "bench-secret\n");
  return await serveBench(folder, args);
}

/** A server on a directory with that account; it goes with the server. */
async function serveBench(folder: string, args: readonly string[]): Promise<Bench> {
  const data = `${folder}/data`;
  const [command, all] = bargeCommand([
    ...["serve", "--json", "--data", data, "--native", "127.0.0.1:0", "--log-level", "error"],
    ...isConfinable(await Deno.realPath(folder)) ? [] : ["--unconfined"],
    ...args.includes("--http") ? [] : ["--http", "off"],
    ...args,
  ]);
  const server = spawn(command, { args: all, stdout: "piped", stderr: "null" });
  const lines = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await lines.read();
    if (done) throw new Error(`barge serve ${args.join(" ")} ended before it was ready`);
    text += value;
  }
  const facts = JSON.parse(text);
  const env = { BARGE_SERVER: `barge://bench@${facts.native}`, XDG_CONFIG_HOME: folder };
  // As people do it, and as a key does for ssh: scrypt once, and not for each command.
  await run(["login", env.BARGE_SERVER, "--password-stdin"], env, "bench-secret\n");
  return {
    ...{ folder, facts, server, env },
    home: `${data}/homes/bench`,
    address: facts.native,
    admin: (...args) => run([...args, "--data", data]),
    run: (...args) => run(args, env),
    async [Symbol.asyncDispose]() {
      server.kill("SIGTERM");
      await server.status;
      await lines.cancel();
      await removeFolder(folder);
    },
  };
}

/** Can the runtime confine workers to a data directory at that real path (core/serve/confinement.ts)? */
export function isConfinable(dir: string): boolean {
  return !/^\/(dev|proc|sys)\//.test(`${dir}/`);
}

/** Runs the program to its end. @throws {Error} when it fails, with what it said */
export async function run(
  args: readonly string[],
  env: Record<string, string> = {},
  stdin = "",
): Promise<Run> {
  const [command, all] = bargeCommand(args);
  const began = performance.now();
  const child = spawn(command, {
    args: all,
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
  const watched = watchMemory(child.pid);
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdin));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  const seconds = (performance.now() - began) / 1000;
  const peak = watched();
  if (!success) throw new Error(`barge ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return { seconds, peak, stdout: new TextDecoder().decode(stdout) };
}
