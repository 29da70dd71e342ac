/** Time against the rows of the ledger, which are inserted directly. */
import { DatabaseSync } from "node:sqlite";
import { connect } from "../../core/client/connect.ts";
import { login } from "../../core/client/login.ts";
import { put } from "../../core/client/put.ts";
import { parseRemote } from "../../core/client/remote.ts";
import type { Plot } from "../plot.ts";
import { startBench } from "../program.ts";
import { clocked, sampled, type SampleOptions } from "./sampling.ts";

const maxRows = { quick: 10_000, default: 1_000_000, full: 1_000_000 };
/** Repetitions of each; the result is their mean. */
const repetitions = 20;
const filesPerFolder = 1000;

export async function growLedger({ size, rounds, dir, report }: SampleOptions): Promise<Plot> {
  await using bench = await startBench({ dir }, "--workers", "1");
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
    insertRows(`${bench.folder}/data/accounts.db`, rows, n);
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

/** Inserts rows of files that are not on disk; this benchmark does not read them. */
function insertRows(path: string, from: number, to: number): void {
  using db = new DatabaseSync(path);
  db.exec("PRAGMA foreign_keys = ON");
  const makeFolder = db.prepare("INSERT INTO folder (parent, name) VALUES (1, ?)");
  const insert = db.prepare(
    `INSERT INTO file (folder, name, owner, size, sha256, modified, ino)
     SELECT ?, ?, id, 1, ?, 0, ? FROM account WHERE name = 'bench'`,
  );
  db.exec("BEGIN IMMEDIATE");
  let folder: number | bigint = 0;
  for (let i = from; i < to; i++) {
    if (i === from || i % filesPerFolder === 0) {
      folder = makeFolder.run(`rows-${i}`).lastInsertRowid;
    }
    insert.run(folder, `file-${i % filesPerFolder}`, i.toString(16).padStart(64, "0"), i + 1);
  }
  db.exec("COMMIT");
}
