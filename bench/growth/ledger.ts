/** Time against the rows of the ledger, which are inserted directly. */
import { connect } from "../../core/client/connect.ts";
import { login } from "../../core/client/login.ts";
import { put } from "../../core/client/put.ts";
import { parseRemote } from "../../core/client/remote.ts";
import type { Plot } from "../plot.ts";
import { clocked, sampled, type SampleOptions } from "./sampling.ts";

const maxRows = { quick: 10_000, default: 1_000_000, full: 1_000_000 };
/** Repetitions of each; the result is their mean. */
const repetitions = 20;

export async function growLedger({ size, rounds, start, report }: SampleOptions): Promise<Plot> {
  await using bench = await start("--workers", "1");
  const source = `${bench.folder}/source`;
  await Deno.writeFile(source, crypto.getRandomValues(new Uint8Array(4096)));
  const client = await connect(parseRemote(bench.address));
  await login(client, { account: "bench", password: "bench-secret" });
  const counts = [];
  for (let n = 1000; n <= maxRows[size]; n *= 10) counts.push(n);
  let rows = 0;
  let name = 0;
  const lines = await sampled(counts, rounds, async (n) => {
    report(`${n} rows`);
    await bench.addFiles(rows, n);
    rows = n;
    const each = async (work: () => Promise<unknown>) => {
      await work();
      const ms = await clocked(async () => {
        for (let i = 0; i < repetitions; i++) await work();
      });
      return ms / repetitions;
    };
    return {
      "put of 4 KiB, a new name": await each(async () => {
        const { failed, error } = await put(client, [source], `/home/file-${name++}`);
        if (failed > 0) throw error;
      }),
      "put of 4 KiB, over a file": await each(() => put(client, [source], "/home/file")),
      "quota": await each(() => client.ask("quota", {})),
      "stat": await each(() => client.ask("stat", { path: "/home/file" })),
    };
  });
  client.close();
  return { title: "The ledger", x: "rows", y: "ms", lines };
}
