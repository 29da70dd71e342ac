/**
 * Contest `requests`: small HTTP requests on persistent connections, beside nginx, which needs no
 * password. The client is a small one in this process.
 */
import { startBench } from "../program.ts";
import type { Workspace } from "./workspace.ts";
import type { Contest, Entry } from "./contest.ts";
import { Fleet } from "./servers.ts";

const connections = 16;
const authorization = `Basic ${btoa("bench:bench-secret")}`;
const encoder = new TextEncoder();
// One character for each byte, so that no byte of a body is kept for the next answer.
const decoder = new TextDecoder("latin1");

export async function* requests(workspace: Workspace): AsyncGenerator<Contest> {
  const { source, scale } = workspace;
  await using ours = await startBench({ dir: workspace.work }, "--http", "127.0.0.1:0");
  await using fleet = await Fleet.start(workspace, "nginx");
  await ours.run("put", "-q", `${source}/one`, "/home/one");
  await ours.run("put", "-q", `${source}/tree/d0/f0`, "/home/small");
  const seconds = Math.min(scale.seconds, 2);
  const entriesFor = (
    query: { readonly path: (ours: boolean) => string; readonly range?: string },
  ) => {
    const entry = (name: string, kind: Entry["kind"], host: string): Entry => ({
      name,
      kind,
      run: async () => ({
        value: await rate(host, query.path(kind === "ours"), query.range, seconds),
      }),
    });
    return [
      entry("barge, HTTP", "ours", ours.facts.http!),
      fleet.with("nginx", ({ port }) => entry("nginx", "peer", `127.0.0.1:${port}`)),
    ];
  };
  const api = "/api/v1/files/home";
  const common = { unit: "answers/s", digits: 0, better: "more", rounds: 3 } as const;
  yield {
    title: `HTTP, ${connections} connections: files of 4 KiB`,
    ...common,
    entries: entriesFor({ path: (ours) => ours ? `${api}/small` : "/down/tree/d0/f0" }),
  };
  yield {
    title: `HTTP, ${connections} connections: ranges of 4 KiB`,
    ...common,
    entries: entriesFor({
      path: (ours) => ours ? `${api}/one` : "/down/one",
      range: "bytes=500000-504095",
    }),
  };
}

/** @returns answers a second */
async function rate(
  host: string,
  path: string,
  range: string | undefined,
  seconds: number,
): Promise<number> {
  const fields = { host, authorization, ...range === undefined ? {} : { range } };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const request = encoder.encode(`GET ${path} HTTP/1.1\r\n${lines}\r\n`);
  const [hostname, port] = host.split(":");
  let until = Infinity;
  const counts = await Promise.all(Array.from({ length: connections }, async () => {
    using conn = await Deno.connect({ hostname, port: Number(port) });
    const buffer = new Uint8Array(65_536);
    // The first request makes the server derive the password's key, which it then caches.
    await exchange(conn, request, buffer);
    until = Math.min(until, performance.now() + seconds * 1000);
    let count = 0;
    for (; performance.now() < until; count++) await exchange(conn, request, buffer);
    return count;
  }));
  return counts.reduce((sum, n) => sum + n) / seconds;
}

async function exchange(
  conn: Deno.Conn,
  request: Uint8Array,
  buffer: Uint8Array,
): Promise<void> {
  await conn.write(request);
  let [text, received, end] = ["", 0, -1];
  while (end === -1) {
    const n = await conn.read(buffer);
    if (!n) throw new Error("the server closed the connection");
    text += decoder.decode(buffer.subarray(0, n));
    received += n;
    end = text.indexOf("\r\n\r\n");
  }
  const head = text.slice(0, end);
  if (!/^HTTP\/1.1 20[06] /.test(head)) throw new Error(head);
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
  for (let left = end + 4 + length - received; left > 0;) {
    left -= await conn.read(buffer) ?? Infinity;
  }
}
