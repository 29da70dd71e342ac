/** The servers that all contests of `cluster` use. */
import { type Bench, logIn, startBench } from "../program.ts";
import type { Workspace } from "../peers/workspace.ts";
import type { ProcessGroup } from "./cpu_time.ts";
import { startCpuTimes } from "./cpu_time.ts";
import type { Engines } from "./engines.ts";
import { startRelay } from "./relay.ts";
import { accounts, type ClusterStorage } from "./storage.ts";
import type { Way } from "./ways.ts";

export interface Setting {
  readonly workspace: Workspace;
  readonly engines: Engines;
  readonly storage: ClusterStorage;
  readonly machine: Bench;
  readonly nodes: readonly [Bench, Bench];
  readonly relay: Way;
}

/** Starts a server on this machine's disk, two nodes, and the relay. The caller disposes of the stack. */
export async function startServers(
  { workspace, engines, storage }: Pick<Setting, "workspace" | "engines" | "storage">,
  stack: AsyncDisposableStack,
): Promise<Setting> {
  const dir = workspace.work;
  const http = ["--http", "127.0.0.1:0", "--max-per-account", "0", "--max-per-address", "0"];
  const start = async (storage?: readonly string[]) =>
    stack.use(await startBench({ dir, storage }, ...http));
  const machine = await start();
  const nodes = [await start(storage.options), await start(storage.options)] as const;
  const relay = stack.use(await startRelay(engines, storage.bucket));
  return { workspace, engines, storage, machine, nodes, relay };
}

/** Returns the environment of a client of the second account. */
export async function logInOther({ folder, address }: Bench): Promise<Record<string, string>> {
  return await logIn(address, accounts[1], `${folder}/${accounts[1]}`);
}

/** The names of the columns with CPU seconds. */
export function cpuColumns({ processes }: Engines): string[] {
  return ["client", "nodes", ...Object.keys(processes)].map((name) => `CPU s: ${name}`);
}

/** Times work, and measures the CPU time of all that take part. */
export async function measure(
  { processes }: Engines,
  nodes: ProcessGroup,
  work: () => Promise<number>,
): Promise<{ readonly value: number; readonly more: Record<string, number> }> {
  const cpuTimes = startCpuTimes({ nodes, ...processes });
  const value = await work();
  const more = Object.entries(cpuTimes()).map(([name, seconds]) => [`CPU s: ${name}`, seconds]);
  return { value, more: Object.fromEntries(more) };
}
