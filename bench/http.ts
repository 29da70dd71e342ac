/**
 * The HTTP door beside nginx: small answers, ranges, one large file, many clients at once. Both serve
 * the same bytes from the same disk with two workers; nginx asks nobody for a password.
 */
import { type Bench, startBench } from "./program.ts";
import { spread, table } from "./table.ts";

const runs = 3;
const seconds = 2;
const large = 2 ** 30;
const connections = 16;

interface Server {
  readonly name: string;
  /** HOST:PORT. */
  readonly address: string;
  readonly url: (file: string) => string;
}

export async function benchHttp(): Promise<string> {
  await using bench = await startBench("--workers", "2", "--http", "127.0.0.1:0");
  const home = `${bench.folder}/data/homes/bench`;
  const barge = {
    name: "barge",
    address: bench.facts.http!,
    url: (file: string) => `/api/v1/files/home/${file}`,
  };
  await fill(bench, barge);
  const nginx = await startNginx(bench.folder, home);
  const servers = nginx ? [barge, nginx.server] : [barge];
  const rows: string[][] = [];
  try {
    for (const server of servers) rows.push(await measure(server));
  } finally {
    await nginx?.end();
  }
  const title = "HTTP: 16 connections that ask again and again; 1 GiB; 200 clients that get 1 MiB";
  const head = [
    "server",
    "1 KiB files a second",
    "ranges of 4 KiB a second",
    "1 GiB",
    "200 x 1 MiB",
  ];
  return table(title + (nginx ? "" : " (nginx is not installed)"), head, rows);
}

async function measure(server: Server): Promise<string[]> {
  const [smalls, ranges, large, many]: number[][] = [[], [], [], []];
  for (let i = 0; i < runs; i++) {
    smalls.push(await rate(server, "small", {}));
    ranges.push(await rate(server, "large", { range: "bytes=536870912-536875007" }));
    large.push(await once(server, "large"));
    const began = performance.now();
    await Promise.all(Array.from({ length: 200 }, () => once(server, "middle")));
    many.push((performance.now() - began) / 1000);
  }
  return [
    server.name,
    spread(smalls, "", 0),
    spread(ranges, "", 0),
    spread(large, "s"),
    spread(many, "s"),
  ];
}

/** How many requests a second are answered, on some connections with one under way on each. */
async function rate(server: Server, file: string, headers: Headers): Promise<number> {
  const until = performance.now() + seconds * 1000;
  const counts = await Promise.all(Array.from({ length: connections }, async () => {
    using peer = await Peer.open(server, headers);
    let count = 0;
    for (; performance.now() < until; count++) await peer.get(file);
    return count;
  }));
  return counts.reduce((sum, n) => sum + n) / seconds;
}

/** @returns seconds for one file on a connection of its own */
async function once(server: Server, file: string): Promise<number> {
  const began = performance.now();
  using peer = await Peer.open(server, {});
  await peer.get(file);
  return (performance.now() - began) / 1000;
}

type Headers = Readonly<Record<string, string>>;

const authorization = `Basic ${btoa("bench:bench")}`;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A connection; it reads answers that have a length, and throws their bytes away. */
class Peer implements Disposable {
  readonly #buffer = new Uint8Array(256 * 1024);

  private constructor(
    readonly conn: Deno.Conn,
    readonly server: Server,
    readonly headers: Headers,
  ) {}

  static async open(server: Server, headers: Headers): Promise<Peer> {
    const [hostname, port] = server.address.split(":");
    return new Peer(await Deno.connect({ hostname, port: Number(port) }), server, headers);
  }

  async get(file: string): Promise<void> {
    const all = { host: this.server.address, authorization, ...this.headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    await this.conn.write(encoder.encode(`GET ${this.server.url(file)} HTTP/1.1\r\n${lines}\r\n`));
    let text = "";
    let end = -1;
    let got = 0;
    while (end === -1) {
      const n = await this.conn.read(this.#buffer);
      if (!n) throw new Error("the server closed the connection");
      text += decoder.decode(this.#buffer.subarray(0, n), { stream: true });
      got += n;
      end = text.indexOf("\r\n\r\n");
    }
    if (!/^HTTP\/1.1 20[06] /.test(text)) throw new Error(text.slice(0, end));
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))![1]);
    for (let left = end + 4 + length - got; left > 0;) {
      left -= await this.conn.read(this.#buffer) ?? Infinity;
    }
  }

  [Symbol.dispose](): void {
    this.conn.close();
  }
}

/** The files, sent by barge itself, so that it knows their digests. */
async function fill({ folder }: Bench, { address, url }: Server): Promise<void> {
  const sizes = { small: 1024, middle: 2 ** 20, large };
  for (const [name, size] of Object.entries(sizes)) {
    const path = `${folder}/${name}`;
    await Deno.truncate(await touch(path), size);
    using file = await Deno.open(path);
    const response = await fetch(`http://${address}${url(name)}`, {
      method: "PUT",
      headers: { authorization, "content-length": String(size) },
      body: file.readable,
    });
    if (!response.ok) throw new Error(await response.text());
    await response.body?.cancel();
    await Deno.remove(path);
  }
}

async function touch(path: string): Promise<string> {
  await Deno.writeFile(path, new Uint8Array());
  return path;
}

/** nginx on the same files, as Debian has it; undefined where it is not installed. */
async function startNginx(
  folder: string,
  root: string,
): Promise<{ server: Server; end(): Promise<void> } | undefined> {
  // A port is asked of the system and given to nginx, which can't be told to choose one.
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const config = `${folder}/nginx.conf`;
  await Deno.writeTextFile(
    config,
    `daemon off; worker_processes 2; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log;
     user root; events { worker_connections 1024; }
     http { access_log off; sendfile on; keepalive_requests 10000000; default_type text/plain;
       server { listen 127.0.0.1:${port}; root ${root}; } }`,
  );
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command("nginx", { args: ["-c", config], stderr: "null" }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const address = `127.0.0.1:${port}`;
  for (let tries = 0;; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      break;
    } catch (error) {
      if (tries > 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  return {
    server: { name: "nginx", address, url: (file) => `/${file}` },
    async end() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}
