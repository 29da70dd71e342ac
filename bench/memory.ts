/** Measures the memory of transfers on both sides, above the idle process. */
import type { Client } from "../core/client/client.ts";
import { connect } from "../core/client/connect.ts";
import { get } from "../core/client/get.ts";
import { login } from "../core/client/login.ts";
import { put } from "../core/client/put.ts";
import { parseRemote } from "../core/client/remote.ts";
import { residentMemory, watchMemory } from "./process_memory.ts";
import { type Bench, startBench } from "./program.ts";
import { issueToken } from "./token.ts";
import { spread, table } from "./table.ts";

export interface MemoryOptions {
  readonly quick: boolean;
  readonly rounds: number | undefined;
  /** Bytes of the large file. */
  readonly size: number | undefined;
  readonly dir: string | undefined;
  readonly print: (text: string) => void;
}

/** @returns the samples, in seconds and MiB */
export async function benchMemory(options: MemoryOptions): Promise<unknown> {
  const { quick, dir, print } = options;
  const rounds = options.rounds ?? (quick ? 1 : 3);
  const size = options.size ?? (quick ? 2 ** 28 : 2 ** 30);
  const one = await oneFile(size, rounds, dir, print);
  const many = await atOnce(quick ? 50 : 200, rounds, dir, print);
  return { one, many };
}

async function oneFile(
  size: number,
  rounds: number,
  dir: string | undefined,
  print: (text: string) => void,
): Promise<unknown> {
  await using bench = await startBench({ dir }, "--workers", "1");
  const source = `${bench.folder}/source`;
  await makeFile(source, size);
  const idleClient = (await bench.run("ping")).peak;
  const idleServer = residentMemory(bench.server.pid);
  const rows: string[][] = [];
  const results: Record<string, unknown> = { idleClient, idleServer };
  const verbs = {
    put: ["put", source, "/home/file"],
    get: ["get", "/home/file", `${bench.folder}/back`],
  };
  for (const [verb, args] of Object.entries(verbs)) {
    const [seconds, client, server]: number[][] = [[], [], []];
    for (let i = 0; i < rounds; i++) {
      const stopWatching = watchMemory(bench.server.pid);
      const run = await bench.run(...args);
      seconds.push(run.seconds);
      client.push(run.peak - idleClient);
      server.push(stopWatching() - idleServer);
    }
    results[verb] = { seconds, client, server };
    rows.push([verb, spread(seconds, "s"), spread(client, "MiB", 0), spread(server, "MiB", 0)]);
  }
  const idle = `client ${idleClient.toFixed(0)} MiB, server ${idleServer.toFixed(0)} MiB`;
  print(table(
    `One file of ${size / 2 ** 20} MiB: time, and memory above the idle process (${idle})`,
    ["verb", "time", "client", "server"],
    rows,
  ));
  return results;
}

/** Large enough that the first transfers still run when the last ones begin. */
const fileBytes = 16 * 2 ** 20;

/** Transfers over connections of their own, all logged in before the first transfer starts. */
async function atOnce(
  transfers: number,
  rounds: number,
  dir: string | undefined,
  print: (text: string) => void,
): Promise<unknown> {
  await using bench = await startBench({ dir }, "--workers", "2", "--max-per-account", "0");
  const source = `${bench.folder}/source`;
  await makeFile(source, fileBytes);
  const { pid } = bench.server;
  const idle = residentMemory(pid);
  const results: Record<string, { seconds: number[]; peak: number[] }> = {
    put: { seconds: [], peak: [] },
    get: { seconds: [], peak: [] },
  };
  for (let round = 0; round < rounds; round++) {
    const clients = await logIn(bench, transfers);
    const measure = async (verb: "put" | "get", one: (client: Client, i: number) => unknown) => {
      const stopWatching = watchMemory(pid);
      const began = performance.now();
      await Promise.all(clients.map(one));
      results[verb].seconds.push((performance.now() - began) / 1000);
      results[verb].peak.push(stopWatching());
    };
    await measure(
      "put",
      async (client, i) => assertComplete(await put(client, [source], `/home/f${i}`)),
    );
    // The downloads are discarded, so that this process does not measure its own disk.
    const output = { write: (bytes: Uint8Array) => Promise.resolve(bytes.length) };
    await measure(
      "get",
      async (client, i) => assertComplete(await get(client, [`/home/f${i}`], "-", { output })),
    );
    for (const client of clients) client.close();
  }
  const rows = Object.entries(results).map(([verb, { seconds, peak }]) => [
    verb,
    spread(seconds, "s"),
    spread(peak, "MiB", 0),
    spread(peak.map((mib) => (mib - idle) * 1024 / transfers), "KiB", 0),
  ]);
  print(
    "\n" + table(
      `${transfers} transfers of ${fileBytes / 2 ** 20} MiB at once, native, 2 workers ` +
        `(idle: ${idle.toFixed(0)} MiB)`,
      ["verb", "until the last has ended", "server's peak", "above idle, each"],
      rows,
    ),
  );
  return { idle, transfers, ...results };
}

function assertComplete({ failed }: { readonly failed: number }): void {
  if (failed > 0) throw new Error("a transfer failed");
}

async function logIn(bench: Bench, count: number): Promise<Client[]> {
  const remote = parseRemote(bench.address);
  const token = await issueToken(bench);
  const clients: Client[] = [];
  for (let i = 0; i < count; i++) {
    const client = await connect(remote);
    await login(client, { token });
    clients.push(client);
  }
  return clients;
}

async function makeFile(path: string, size: number): Promise<void> {
  using file = await Deno.open(path, { create: true, write: true });
  const block = new Uint8Array(2 ** 20);
  for (let at = 0; at < block.length; at += 65536) {
    crypto.getRandomValues(block.subarray(at, at + 65536));
  }
  for (let left = size; left > 0; left -= block.length) await file.write(block);
}
