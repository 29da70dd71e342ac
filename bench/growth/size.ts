/** Time against the size of a file, by the commands put and get, including their start. */
import type { Plot } from "../plot.ts";
import { barge } from "../peers/barge.ts";
import { sampled, type SampleOptions } from "./sampling.ts";

const maxBytes = { quick: 2 ** 26, default: 2 ** 30, full: 2 ** 33 };

export async function growSize({ size, rounds, start, report }: SampleOptions): Promise<Plot> {
  await using bench = await start();
  const sizes = [];
  for (let bytes = 2 ** 20; bytes < maxBytes[size]; bytes *= 4) sizes.push(bytes);
  sizes.push(maxBytes[size]);
  const [source, back] = [`${bench.folder}/source`, `${bench.folder}/back`];
  let made = 0;
  const lines = await sampled(sizes, rounds, async (bytes) => {
    report(`a file of ${bytes / 2 ** 20} MiB`);
    if (made !== bytes) await extend(source, made, made = bytes);
    const put = await barge(bench, ["put", "-q", source, "/home/file"]);
    const get = await barge(bench, ["get", "-q", "/home/file", back]);
    await bench.run("rm", "/home/file");
    await Deno.remove(back);
    return { put, get };
  });
  return { title: "One file", x: "bytes", y: "seconds", lines };
}

async function extend(path: string, from: number, to: number): Promise<void> {
  using file = await Deno.open(path, { create: true, append: true });
  const block = new Uint8Array(2 ** 20);
  for (let at = 0; at < block.length; at += 65_536) {
    crypto.getRandomValues(block.subarray(at, at + 65_536));
  }
  for (let at = from; at < to; at += block.length) await file.write(block);
}
