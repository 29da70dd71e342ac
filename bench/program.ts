/** Runs barge as child processes, and measures their time and memory. */
import { fileURLToPath } from "node:url";
import { makeFolder, removeFolder, spawn } from "./cleanup.ts";
import { HEAP, UNSTABLE } from "../scripts/permissions.ts";
import { here, type Site } from "./peers/site.ts";
import { watchMemory } from "./process_memory.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const flags = ["run", "--quiet", "-A", ...UNSTABLE, ...HEAP];
/** The caller's settings for barge must not affect the measured processes. */
const callerSettings = Object.keys(Deno.env.toObject())
  .filter((name) => name.startsWith("BARGE_") && !name.startsWith("BARGE_TEST_"));
for (const name of callerSettings) Deno.env.delete(name);

let programLine: readonly string[] = [Deno.execPath(), ...flags, main];

/** Measures an executable from now on, instead of this checkout in Deno. */
export function useProgram(path: string): void {
  programLine = [path];
}

/** Returns the program and the arguments that run a command of barge. */
export function bargeCommand(args: readonly string[]): [string, string[]] {
  return [programLine[0], [...programLine.slice(1), ...args]];
}

export interface Run {
  readonly seconds: number;
  /** Peak resident memory in MiB. */
  readonly peak: number;
  readonly stdout: string;
}

export interface BenchOptions {
  /** Parent of its temporary folder; default: the system's. */
  readonly dir?: string;
  /** The options of storage that machines share and that has the account; default: a data directory. */
  readonly storage?: readonly string[];
  /** Where it runs. */
  readonly site?: Site;
}

/** A server, by default on a temporary directory, with the account `bench` and its token. */
export interface Bench extends AsyncDisposable {
  readonly folder: string;
  /** The folder of the account's files, if the storage is a data directory. */
  readonly home: string;
  /** HOST:PORT of the server's native door. */
  readonly address: string;
  /** HOST:PORT of each door that is open. */
  readonly facts: Readonly<Record<string, string | null>>;
  readonly server: Deno.ChildProcess;
  /** Environment of a client: the server, and the folder of its saved login. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs a command on its storage. */
  admin(...args: string[]): Promise<Run>;
  /** Runs a client command with it. */
  run(...args: string[]): Promise<Run>;
}

/** @param args further options of `serve` */
export async function startBench(options: BenchOptions, ...args: string[]): Promise<Bench> {
  const folder = await makeFolder("barge-bench-", options.dir);
  const data = `${folder}/data`;
  const storage = options.storage ?? ["--data", data];
  if (!options.storage) await addAccount(storage, "bench");
  const { site = here } = options;
  const [command, all] = site.command(...bargeCommand([
    "serve",
    "--json",
    ...storage,
    "--native",
    `${site.host}:0`,
    "--log-level",
    "error",
    ...isConfinable(await Deno.realPath(folder)) ? [] : ["--unconfined"],
    ...args.includes("--http") ? [] : ["--http", "off"],
    ...args,
  ]));
  const server = spawn(command, { args: all, stdout: "piped", stderr: "null" });
  const lines = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await lines.read();
    if (done) throw new Error(`barge serve ${args.join(" ")} ended before it was ready`);
    text += value;
  }
  const facts = JSON.parse(text);
  // On loopback, the native door has no TLS, whatever the certificate of another door.
  const security = site === here
    ? []
    : args.includes("--plaintext")
    ? ["--plaintext"]
    : ["--pin", facts.fingerprint];
  const env = await logIn(facts.native, "bench", folder, security);
  return {
    folder,
    facts,
    server,
    env,
    home: `${data}/homes/bench`,
    address: facts.native,
    admin: (...args) => run([...args, ...storage]),
    run: (...args) => run(args, env),
    async [Symbol.asyncDispose]() {
      server.kill("SIGTERM");
      await server.status;
      await lines.cancel();
      await removeFolder(folder);
    },
  };
}

/** Adds an account without a quota. @param storage the options that name the storage */
export async function addAccount(storage: readonly string[], name: string): Promise<void> {
  const add = ["user", "add", name, "--password-stdin", "--quota", "none"];
  await run([...add, ...storage], {}, "bench-secret\n");
}

/**
 * Logs an account in, and saves its token in a folder, so that later commands derive no key.
 *
 * @param address HOST:PORT of the native door
 * @param security the options of `login` that a door on another machine needs
 * @returns the environment of a client of that account
 */
export async function logIn(
  address: string,
  account: string,
  folder: string,
  security: readonly string[] = [],
): Promise<Record<string, string>> {
  const env = { BARGE_SERVER: `barge://${account}@${address}`, XDG_CONFIG_HOME: folder };
  await run(["login", env.BARGE_SERVER, "--password-stdin", ...security], env, "bench-secret\n");
  return env;
}

/**
 * Returns whether the runtime can confine workers to a data directory (core/serve/confinement.ts).
 */
export function isConfinable(dir: string): boolean {
  return !/^\/(dev|proc|sys)\//.test(`${dir}/`);
}

/** Runs a command of barge. @throws {Error} with its error output when it fails */
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
  const stopWatching = watchMemory(child.pid);
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdin));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  const seconds = (performance.now() - began) / 1000;
  const peak = stopWatching();
  if (!success) throw new Error(`barge ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return { seconds, peak, stdout: new TextDecoder().decode(stdout) };
}
