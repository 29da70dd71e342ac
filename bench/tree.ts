/** A tree of small files on one connection, and what its syncs cost. */
import { startBench } from "./program.ts";
import { spread, table } from "./table.ts";

const folders = 50;
const files = 100;
const size = 4096;
const runs = 3;

export async function benchTree(): Promise<string> {
  const rows: string[][] = [];
  for (const durability of ["full", "relaxed"]) {
    await using bench = await startBench("--workers", "1", "--durability", durability);
    const source = `${bench.folder}/source`;
    await makeTree(source);
    const [up, down]: number[][] = [[], []];
    for (let i = 0; i < runs; i++) {
      up.push((await bench.run("put", "-r", `${source}/`, `/home/tree${i}`)).seconds);
      down.push(
        (await bench.run("get", "-r", `/home/tree${i}`, `${bench.folder}/back${i}`)).seconds,
      );
    }
    rows.push([durability, spread(up, "s"), spread(down, "s")]);
  }
  const title = `A tree of ${
    folders * files
  } files of ${size} bytes, the start of the program included`;
  return table(title, ["durability", "put -r", "get -r"], rows);
}

async function makeTree(root: string): Promise<void> {
  const bytes = new Uint8Array(size);
  for (let d = 0; d < folders; d++) {
    await Deno.mkdir(`${root}/d${d}`, { recursive: true });
    for (let f = 0; f < files; f++) {
      crypto.getRandomValues(bytes);
      await Deno.writeFile(`${root}/d${d}/f${f}`, bytes);
    }
  }
}
