/** How much memory a large file takes on either side, above the idle process. */
import { residentMemory, watchMemory } from "./memory_of.ts";
import { startBench } from "./program.ts";
import { spread, table } from "./table.ts";

const size = 2 ** 30;
const runs = 3;

export async function benchMemory(_?: unknown): Promise<string> {
  await using bench = await startBench("--workers", "1");
  const source = `${bench.folder}/source`;
  await makeFile(source);
  const idleClient = (await bench.run("ping")).peak;
  const idleServer = residentMemory(bench.server.pid);
  const rows: string[][] = [];
  const verbs = {
    put: ["put", source, "/home/file"],
    get: ["get", "/home/file", `${bench.folder}/back`],
  };
  for (const [verb, args] of Object.entries(verbs)) {
    const [seconds, client, server]: number[][] = [[], [], []];
    for (let i = 0; i < runs; i++) {
      const watched = watchMemory(bench.server.pid);
      const run = await bench.run(...args);
      seconds.push(run.seconds);
      client.push(run.peak - idleClient);
      server.push(watched() - idleServer);
    }
    rows.push([verb, spread(seconds, "s"), spread(client, "MiB", 0), spread(server, "MiB", 0)]);
  }
  const idle = `client ${idleClient.toFixed(0)} MiB, server ${idleServer.toFixed(0)} MiB`;
  return table(
    `One file of 1 GiB: time, and memory above the idle process (${idle})`,
    ["verb", "time", "client", "server"],
    rows,
  );
}

async function makeFile(path: string): Promise<void> {
  using file = await Deno.open(path, { create: true, write: true });
  const block = new Uint8Array(2 ** 20);
  for (let at = 0; at < block.length; at += 65536) {
    crypto.getRandomValues(block.subarray(at, at + 65536));
  }
  for (let left = size; left > 0; left -= block.length) await file.write(block);
}
