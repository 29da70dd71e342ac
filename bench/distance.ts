/** Measures `put` and `get` with several connections to a server that is 50 ms away (there and back). */
import { delayLine } from "./delay_line.ts";
import { median } from "./peers/contest.ts";
import { timed } from "./peers/process.ts";
import { bargeCommand, startBench } from "./program.ts";
import { spread, table } from "./table.ts";

const delayMs = 25;
const windowBytes = 1024 * 1024;
const jobCounts = [1, 2, 4, 8];

export interface DistanceOptions {
  readonly quick: boolean;
  readonly rounds: number | undefined;
  readonly dir: string | undefined;
  readonly print: (text: string) => void;
}

/** @returns seconds, by work and number of connections */
export async function benchDistance(options: DistanceOptions): Promise<Record<string, number[]>> {
  const { quick, dir, print } = options;
  const rounds = options.rounds ?? (quick ? 1 : 5);
  await using bench = await startBench({ dir });
  using line = delayLine(bench.address, delayMs, windowBytes);
  const trees = {
    "16 files of 8 MiB": () => plant(`${bench.folder}/large`, 16, 8 * 2 ** 20),
    "2,000 files of 4 KiB": () => plant(`${bench.folder}/small`, 2000, 4096),
  };
  const near = bench.env.BARGE_SERVER;
  const far = near.replace(/:\d+$/, `:${line.port}`);
  const env = { ...bench.env, BARGE_SERVER: far };
  const password = `${bench.folder}/password`;
  await Deno.writeTextFile(password, "bench-secret\n");
  await timed(...bargeCommand(["login", far, "--password-file", password]), { env });
  const samples: Record<string, number[]> = {};
  const rows: string[][] = [];
  for (const [work, make] of Object.entries(trees)) {
    const source = await make();
    for (const way of ["up", "down"]) {
      const cells = [`${work}, ${way}`];
      for (const jobs of jobCounts) {
        const times = samples[`${work}, ${way}, ${jobs}`] = [] as number[];
        for (let i = 0; i < rounds; i++) {
          const back = await Deno.makeTempDir({ dir: bench.folder });
          const args = way === "up"
            ? ["put", "-r", "-q", `${source}/`, "/home/far"]
            : ["get", "-r", "-q", "/home/far/", back];
          times.push(await timed(...bargeCommand([...args, "-j", String(jobs)]), { env }));
          await Deno.remove(back, { recursive: true });
        }
        cells.push(rounds > 1 ? spread(times, "s") : `${median(times).toFixed(2)} s`);
      }
      rows.push(cells);
    }
    await timed(...bargeCommand(["rm", "-r", "/home/far"]), { env });
  }
  const title = `Over ${2 * delayMs} ms, windows of 1 MiB, ${rounds} rounds`;
  print(table(title, ["work", ...jobCounts.map((jobs) => `--jobs ${jobs}`)], rows));
  return samples;
}

async function plant(folder: string, count: number, bytes: number): Promise<string> {
  const content = new Uint8Array(bytes);
  for (let i = 0; i < count; i++) {
    const inside = `${folder}/${i % 20}`;
    await Deno.mkdir(inside, { recursive: true });
    new DataView(content.buffer).setUint32(0, i);
    await Deno.writeFile(`${inside}/${i}`, content);
  }
  return folder;
}
