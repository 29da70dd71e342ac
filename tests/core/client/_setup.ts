/** Helpers of the client's tests: a server with one account, trees, events, a proxy that cuts. */
import type { Client } from "../../../core/client/client.ts";
import { connect } from "../../../core/client/connect.ts";
import type { TransferEvent, TransferResult } from "../../../core/client/transfer/events.ts";
import { login } from "../../../core/client/login.ts";
import { parseRemote } from "../../../core/client/remote.ts";
import { type Server, startServer } from "../../_server.ts";

/** A server with the account anna, a connection as anna, and an empty local folder. */
export class Setup implements AsyncDisposable {
  private constructor(readonly server: Server, readonly client: Client, readonly dir: string) {}

  static async start(args: string[] = []): Promise<Setup> {
    const server = await startServer({ args });
    await server.addUser("anna");
    const dir = await Deno.makeTempDir({ prefix: "barge-client-" });
    const client = await connect(parseRemote(server.address));
    await login(client, { token: await server.issueToken("anna") });
    return new Setup(server, client, dir);
  }

  /** Opens one more connection as anna, by default to the server itself. */
  async connect(address = this.server.address, signal?: AbortSignal): Promise<Client> {
    const client = await connect(parseRemote(address), { signal });
    await login(client, { token: await this.server.issueToken("anna") });
    return client;
  }

  /** Returns the place of a remote path of anna's on the server's disk. */
  disk(path: string): string {
    return `${this.server.data}${path.replace(/^\/home/, "/homes/anna")}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    await Deno.remove(this.dir, { recursive: true });
  }
}

/** Gathers the events of a transfer. */
export function recorder() {
  const events: TransferEvent[] = [];
  const all = <T extends TransferEvent["type"]>(type: T) =>
    events.filter((event): event is Extract<TransferEvent, { type: T }> => event.type === type);
  return {
    events,
    onEvent: (event: TransferEvent) => void events.push(event),
    results: (): TransferResult[] => all("done").map(({ result }) => result),
    /** `status path` of each result, sorted. */
    outcome: () => all("done").map(({ result: { status, path } }) => `${status} ${path}`).sort(),
    notes: () => all("note").map(({ message }) => message),
    removed: () => all("removed").map(({ path }) => path).sort(),
    removedHere: () => all("removed").map(({ local }) => local).sort(),
    starts: () => all("start"),
  };
}

/** Makes files: text by path; a path that ends in a slash is a folder. */
export function plant(root: string, files: Record<string, string | Uint8Array>): void {
  Deno.mkdirSync(root, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    const full = `${root}/${path}`;
    if (path.endsWith("/")) {
      Deno.mkdirSync(full, { recursive: true });
      continue;
    }
    Deno.mkdirSync(full.slice(0, full.lastIndexOf("/")), { recursive: true });
    if (typeof content === "string") Deno.writeTextFileSync(full, content);
    else Deno.writeFileSync(full, content);
  }
}

/** Returns type, size, time in ms and content of all entries of a folder, by path. */
export function snapshot(root: string, { times = true } = {}): string[] {
  const lines: string[] = [];
  const visit = (path: string) => {
    const facts = Deno.lstatSync(`${root}${path}`);
    const time = times ? facts.mtime!.getTime() : "";
    if (facts.isFile) {
      const content = Deno.readFileSync(`${root}${path}`);
      lines.push(`${JSON.stringify(path)} file ${time} ${content.length} ${checksum(content)}`);
      return;
    }
    lines.push(`${JSON.stringify(path)} ${facts.isDirectory ? "dir" : "other"} ${time}`);
    if (!facts.isDirectory) return;
    const names = Array.from(Deno.readDirSync(`${root}${path}`), ({ name }) => name).sort();
    for (const name of names) visit(`${path}/${name}`);
  };
  visit("");
  return lines;
}

/** FNV-1a, which distinguishes test files. */
function checksum(bytes: Uint8Array): number {
  let sum = 2166136261;
  for (const byte of bytes) sum = Math.imul(sum ^ byte, 16777619);
  return sum >>> 0;
}

/** Returns pseudorandom bytes, the same each time. */
export function noise(size: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(size / 4));
  let x = seed * 2654435761 >>> 0 || 1;
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[i] = x;
  }
  return new Uint8Array(words.buffer, 0, size);
}

/**
 * A TCP proxy that cuts each connection after a number of bytes in one direction. Its disposal waits
 * until the server has closed its end, after which the partial upload can be resumed.
 */
export class Cutter implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #cuts: (() => void)[] = [];
  readonly #tasks: Promise<unknown>[] = [];

  /** @param limits bytes from the client (`up`) and to it (`down`) until the cut */
  constructor(target: string, limits: { readonly up?: number; readonly down?: number }) {
    const [hostname, port] = target.split(":");
    this.#tasks.push((async () => {
      for await (const near of this.#listener) {
        const far = await Deno.connect({ hostname, port: Number(port) });
        let open = true;
        const cut = () => {
          if (!open) return;
          open = false;
          near.close();
          far.closeWrite().catch(() => {/* the server was faster */});
        };
        this.#cuts.push(cut);
        const up = pump(near, far, limits.up ?? Infinity).finally(cut);
        const down = pump(far, near, limits.down ?? Infinity).finally(cut)
          .then(() => drain(far)).finally(() => far.close());
        this.#tasks.push(up, down);
      }
    })());
  }

  get address(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const cut of this.#cuts) cut();
    await Promise.all(this.#tasks);
  }
}

async function pump(from: Deno.Conn, to: Deno.Conn, left: number): Promise<void> {
  const buffer = new Uint8Array(16 * 1024);
  try {
    while (left > 0) {
      const n = await from.read(buffer);
      if (n === null) return;
      const take = Math.min(n, left);
      for (let done = 0; done < take;) done += await to.write(buffer.subarray(done, take));
      left -= take;
    }
  } catch { /* the other direction has cut it */ }
}

async function drain(from: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(16 * 1024);
  while (await from.read(buffer).catch(() => null)) { /* nobody wants it any more */ }
}
