/** Time against clients at once: until all are logged in, and until each has got a small file. */
import type { Client } from "../../core/client/client.ts";
import { connect } from "../../core/client/connect.ts";
import { get } from "../../core/client/get.ts";
import { login } from "../../core/client/login.ts";
import { parseRemote } from "../../core/client/remote.ts";
import type { Plot } from "../plot.ts";
import { startBench } from "../program.ts";
import { issueToken } from "../token.ts";
import { clocked, type Reach, sampled } from "./reach.ts";

const counts = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000];
const most = { quick: 100, usual: 1000, full: 2000 };
const bytes = 65_536;
/** So many connect at a time: more would fill the line of those that are not accepted yet. */
const abreast = 50;

export async function growClients({ size, rounds, dir, tell }: Reach): Promise<Plot> {
  await using bench = await startBench({ dir }, "--max-per-account", "0");
  const source = `${bench.folder}/source`;
  await Deno.writeFile(source, crypto.getRandomValues(new Uint8Array(bytes)));
  await bench.run("put", source, "/home/file");
  const remote = parseRemote(bench.address);
  const token = await issueToken(bench);
  const output = { write: (bytes: Uint8Array) => Promise.resolve(bytes.length) };
  const xs = counts.filter((n) => n <= most[size]);
  const lines = await sampled(xs, rounds, async (n) => {
    tell(`${n} clients`);
    const clients: Client[] = [];
    const enter = async () => {
      const client = await connect(remote);
      clients.push(client);
      await login(client, { token });
    };
    const loggedIn = await clocked(async () => {
      while (clients.length < n) {
        const missing = Math.min(abreast, n - clients.length);
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
