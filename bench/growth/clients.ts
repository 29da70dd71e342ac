/**
 * Time against concurrent clients: until all are logged in, and until each has downloaded a file.
 */
import type { Client } from "../../core/client/client.ts";
import { connect } from "../../core/client/connect.ts";
import { get } from "../../core/client/get.ts";
import { login } from "../../core/client/login.ts";
import { parseRemote } from "../../core/client/remote.ts";
import type { Plot } from "../plot.ts";
import { issueToken } from "../token.ts";
import { clocked, sampled, type SampleOptions } from "./sampling.ts";

const counts = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000];
const maxClients = { quick: 100, default: 1000, full: 2000 };
const fileBytes = 65_536;
/** Concurrent connects: more would overflow the accept queue. */
const parallelOpens = 50;

export async function growClients({ size, rounds, start, report }: SampleOptions): Promise<Plot> {
  await using bench = await start("--max-per-account", "0");
  const source = `${bench.folder}/source`;
  await Deno.writeFile(source, crypto.getRandomValues(new Uint8Array(fileBytes)));
  await bench.run("put", source, "/home/file");
  const remote = parseRemote(bench.address);
  const token = await issueToken(bench);
  const output = { write: (bytes: Uint8Array) => Promise.resolve(bytes.length) };
  const xs = counts.filter((n) => n <= maxClients[size]);
  const lines = await sampled(xs, rounds, async (n) => {
    report(`${n} clients`);
    const clients: Client[] = [];
    const enter = async () => {
      const client = await connect(remote);
      clients.push(client);
      await login(client, { token });
    };
    const loggedIn = await clocked(async () => {
      while (clients.length < n) {
        const missing = Math.min(parallelOpens, n - clients.length);
        await Promise.all(Array.from({ length: missing }, enter));
      }
    });
    const got = await clocked(() =>
      Promise.all(clients.map(async (client) => {
        const { failed, error } = await get(client, ["/home/file"], "-", { output });
        if (failed > 0) throw error;
      }))
    );
    await Promise.all(clients.map((client) => client.ask("bye", {})));
    for (const client of clients) client.close();
    return { "all logged in": loggedIn, "each has got 64 KiB": got };
  });
  return { title: "Clients at once", x: "clients", y: "ms", lines };
}
