/** The real program as child processes, with what they cost. */
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const flags = ["run", "--quiet", "-A", "--unstable-worker-options", "--unstable-net"];

/** How a command went. */
export interface Run {
  readonly seconds: number;
  /** The most resident memory that was seen, in MiB. */
  readonly peak: number;
  readonly stdout: string;
}

/** A server on a temporary directory, with one account without a limit. */
export interface Bench extends AsyncDisposable {
  readonly folder: string;
  /** HOST:PORT of the server. */
  readonly address: string;
  /** HOST:PORT of its FTP door, if that is open. */
  readonly ftp: string | null;
  readonly server: Deno.ChildProcess;
  /** Runs a client command against it, to its end. */
  run(...args: string[]): Promise<Run>;
}

/** @param args more options for `serve` */
export async function startBench(...args: string[]): Promise<Bench> {
  const folder = await Deno.makeTempDir({ prefix: "barge-bench-" });
  const data = `${folder}/data`;
  await run(
    ["user", "add", "bench", "--password-stdin", "--quota", "none", "--data", data],
    {},
    "bench\n",
  );
  const server = new Deno.Command(Deno.execPath(), {
    args: [
      ...flags,
      main,
      "serve",
      "--json",
      "--data",
      data,
      "--native",
      "127.0.0.1:0",
      ...args,
    ],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const lines = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) text += (await lines.read()).value ?? "";
  const { native, ftp } = JSON.parse(text) as { native: string; ftp: string | null };
  const env = {
    BARGE_SERVER: `barge://bench@${native}`,
    BARGE_PASSWORD: "bench",
    XDG_CONFIG_HOME: folder,
  };
  return {
    folder,
    address: native,
    ftp,
    server,
    run: (...args) => run(args, env),
    async [Symbol.asyncDispose]() {
      server.kill("SIGTERM");
      await server.status;
      await lines.cancel();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Runs the program to its end. @throws {Error} when it fails, with what it said */
export async function run(
  args: readonly string[],
  env: Record<string, string> = {},
  stdin = "",
): Promise<Run> {
  const began = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: [...flags, main, ...args],
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
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

/**
 * Watches a process's resident memory (Linux).
 *
 * @returns ends it, and tells the most that was seen, in MiB
 */
export function watchMemory(pid: number): () => number {
  let peak = residentMemory(pid);
  const timer = setInterval(() => peak = Math.max(peak, residentMemory(pid)), 10);
  return () => {
    clearInterval(timer);
    return peak;
  };
}

/** A process's resident memory in MiB; 0 when it is gone. */
export function residentMemory(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(/VmRSS:\s*(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
