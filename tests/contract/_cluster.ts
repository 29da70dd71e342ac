/** Two nodes of a cluster behind a balancer that gives each connection to the other one in turn. */
import { Server, startServer } from "../_server.ts";
import { parseAddress } from "../../core/net/address.ts";
import { makeVerifier } from "../../core/protocol/verifier.ts";
import { parseSize } from "../../core/size.ts";
import type { Host } from "./_host.ts";
import { hasEngines, SharedSetup } from "./store/_shared.ts";

export const twoNodes: Host = {
  name: " on two nodes",
  missing: !hasEngines,
  hasFiles: false,
  start: (args) => Cluster.start(args),
};

/** The nodes as one server. */
class Cluster extends Server {
  readonly #setup: SharedSetup;
  readonly #nodes: readonly Server[];
  readonly #balancers: readonly Balancer[];

  private constructor(
    setup: SharedSetup,
    nodes: readonly Server[],
    balancers: Readonly<Record<string, Balancer>>,
  ) {
    const [{ data, facts, process, ended, stdout, stderr, waiting }] = nodes;
    const balanced = Object.entries(balancers).map(([door, { port }]) => [
      door,
      `127.0.0.1:${port}`,
    ]);
    const shown = { ...facts, ...Object.fromEntries(balanced) };
    super(data, shown, process, ended, stdout, stderr, waiting, true);
    this.#setup = setup;
    this.#nodes = nodes;
    this.#balancers = Object.values(balancers);
  }

  static async start(args: readonly string[]): Promise<Cluster> {
    const setup = await SharedSetup.make();
    const store = await setup.serveOptions();
    const start = () => startServer({ store, args: ["--workers", "1", ...args] });
    const nodes = [await start(), await start()];
    const doors = (["native", "http", "ftp", "ftps", "sftp"] as const)
      .filter((door) => nodes[0].facts[door] !== null);
    const balancers = doors.map((door) => [
      door,
      new Balancer(nodes.map(({ facts }) => parseAddress(facts[door]!).port)),
    ]);
    return new Cluster(setup, nodes, Object.fromEntries(balancers));
  }

  override async addUser(
    name: string,
    options: { quota?: string; entries?: number; password?: string } = {},
  ): Promise<void> {
    const { quota = "none", entries, password = `${name}-secret` } = options;
    const verifier = await makeVerifier("password", password);
    const limit = parseSize(quota) ?? null;
    const { accounts } = this.#setup.people;
    await accounts.add({ name, role: "user", limit, entryLimit: entries, verifier });
    await accounts.makeHome(name);
  }

  override async issueToken(name: string): Promise<string> {
    const { logins } = this.#setup.people;
    const { account, credential } = (await logins.byPassword(name))!;
    return (await logins.issueToken({ id: account.id, credential }, "test"))!.token;
  }

  override async expireToken(id: string): Promise<void> {
    await this.#setup.first.db.all("UPDATE token SET expires = now_ms() - 1 WHERE id = $1", id);
  }

  override async heldUploads(): Promise<number> {
    return await this.#number("SELECT count(*) AS n FROM upload WHERE holder IS NOT NULL");
  }

  override async stagedBytes(): Promise<number> {
    return await this.#number(
      `SELECT coalesce(sum(piece.size), 0)::bigint AS n FROM piece
       JOIN upload ON upload.content = piece.content`,
    );
  }

  override async disable(name: string): Promise<void> {
    await this.#setup.people.accounts.change(name, { disabled: true });
  }

  override async verify(): Promise<void> {
    await this.#setup.verify();
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    for (const balancer of this.#balancers) balancer[Symbol.dispose]();
    for (const node of this.#nodes) await node[Symbol.asyncDispose]();
    await this.#setup[Symbol.asyncDispose]();
  }

  async #number(sql: string): Promise<number> {
    return (await this.#setup.first.db.all<{ n: number }>(sql))[0].n;
  }
}

/** A TCP balancer. */
class Balancer implements Disposable {
  readonly port: number;
  readonly #listener: Deno.TcpListener;
  readonly #connections = new Set<Deno.TcpConn>();

  constructor(ports: readonly number[]) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = (this.#listener.addr as Deno.NetAddr).port;
    void this.#accept(ports);
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
    this.#connections.clear();
  }

  async #accept(ports: readonly number[]): Promise<void> {
    let turn = 0;
    try {
      for await (const client of this.#listener) void this.#serve(client, ports[turn++ % 2]);
    } catch {
      // closed
    }
  }

  async #serve(client: Deno.TcpConn, port: number): Promise<void> {
    this.#connections.add(client);
    let server: Deno.TcpConn | undefined;
    try {
      server = await Deno.connect({ hostname: "127.0.0.1", port });
      this.#connections.add(server);
      // Each direction ends by itself: a client may send its last byte and still read.
      await Promise.all([
        client.readable.pipeTo(server.writable),
        server.readable.pipeTo(client.writable),
      ]);
    } catch {
      // One side is gone, and so is the other.
    } finally {
      for (const each of [client, server]) {
        if (!each) continue;
        this.#connections.delete(each);
        try {
          each.close();
        } catch {
          // closed already
        }
      }
    }
  }
}
