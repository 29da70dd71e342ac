/** How much memory a session takes that is logged in and does nothing. */
import type { Client } from "../core/client/client.ts";
import { connect } from "../core/client/connect.ts";
import { login } from "../core/client/login.ts";
import { parseRemote } from "../core/client/remote.ts";
import { type Bench, residentMemory, startBench } from "./program.ts";
import { spread, table } from "./table.ts";

const sessions = 1000;
/** So many at a time: more would fill the line of those that are not accepted yet. */
const abreast = 50;
const runs = 3;

export async function benchIdle(): Promise<string> {
  const each: number[] = [];
  const afterwards: number[] = [];
  const all: number[] = [];
  for (let i = 0; i < runs; i++) {
    await using bench = await startBench("--workers", "2");
    const token = await newToken(bench);
    const { pid } = bench.server;
    // What the first sessions bring about once is not theirs.
    await close(await open(bench, token, abreast));
    const idle = residentMemory(pid);
    const clients = await open(bench, token, sessions);
    const full = residentMemory(pid);
    all.push(full);
    each.push((full - idle) * 1024 / sessions);
    for (const client of clients) await client.ask("list", { path: "/home", recursive: false });
    afterwards.push((residentMemory(pid) - idle) * 1024 / sessions);
    await close(clients);
  }
  return table(`${sessions} idle sessions, logged in, at 2 workers`, ["what", "memory"], [
    ["the server with all of them", spread(all, "MiB", 0)],
    ["a session", spread(each, "KiB", 0)],
    ["a session that has listed a folder", spread(afterwards, "KiB", 0)],
  ]);
}

async function newToken(bench: Bench): Promise<string> {
  const client = await connect(parseRemote(bench.address));
  await login(client, { account: "bench", password: "bench" });
  const { token } = await client.ask("token", { action: "issue", label: "bench" });
  client.close();
  return token!;
}

async function open(bench: Bench, token: string, count: number): Promise<Client[]> {
  const clients: Client[] = [];
  const one = async () => {
    const client = await connect(parseRemote(bench.address));
    await login(client, { token });
    clients.push(client);
  };
  while (clients.length < count) {
    await Promise.all(Array.from({ length: Math.min(abreast, count - clients.length) }, one));
  }
  return clients;
}

async function close(clients: readonly Client[]): Promise<void> {
  await Promise.all(clients.map((client) => client.ask("bye", {})));
  for (const client of clients) client.close();
}
