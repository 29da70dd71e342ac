/** Two nodes of a cluster behind a balancer, as one server. */
import { Server, startServer, totpSecret } from "../_server.ts";
import { sealFactorSecret } from "../../core/shared/people/factors.ts";
import { parseAddress } from "../../core/net/address.ts";
import type { AccountChange } from "../../core/storage/accounts.ts";
import { verifierOf } from "../_passwords.ts";
import { parseSize } from "../../core/size.ts";
import { locate } from "../../core/storage/path.ts";
import { parseAuthorizedKeys } from "../../core/storage/public_key.ts";
import { Balancer } from "./_balancer.ts";
import type { Host, HostOptions } from "./_host.ts";
import { hasEngines, SharedSetup } from "./store/_shared.ts";

export const twoNodes: Host = {
  name: " on two nodes",
  missing: !hasEngines,
  hasFiles: false,
  start: (args, options) => Cluster.start(args, options),
};

/** Options that a node does not have, each with a value. */
const ofOneMachine = ["--workers", "--durability"];

export class Cluster extends Server {
  readonly #storage: readonly string[];
  readonly #setup: SharedSetup;
  readonly #nodes: readonly Server[];
  readonly #balancers: readonly Balancer[];

  private constructor(
    setup: SharedSetup,
    storage: readonly string[],
    nodes: readonly Server[],
    balancers: Readonly<Record<string, Balancer>>,
  ) {
    const [{ data, facts, process, ended, stdout, waiting }] = nodes;
    const stderr = () => nodes.map((node) => node.stderr()).join("");
    const balanced = Object.entries(balancers).map(([door, { port }]) => [
      door,
      `127.0.0.1:${port}`,
    ]);
    const shown = { ...facts, ...Object.fromEntries(balanced) };
    super(data, shown, process, ended, stdout, stderr, waiting, true);
    this.#storage = storage;
    this.#setup = setup;
    this.#nodes = nodes;
    this.#balancers = Object.values(balancers);
  }

  static async start(
    args: readonly string[],
    { env, spreadRequests = false }: HostOptions = {},
  ): Promise<Cluster> {
    const setup = await SharedSetup.make();
    const store = await setup.serveOptions();
    const given = args.filter((arg, i) =>
      !ofOneMachine.includes(arg) && !ofOneMachine.includes(args[i - 1])
    );
    const start = () => startServer({ store, args: ["--workers", "1", ...given], env });
    const nodes = [await start(), await start()];
    const doors = (["native", "http", "ftp", "ftps", "sftp"] as const)
      .filter((door) => nodes[0].facts[door] !== null);
    const balancers = await Promise.all(doors.map(async (door) => {
      const ports = nodes.map(({ facts }) => parseAddress(facts[door]!).port);
      const closeAfterRequest = door === "http" && spreadRequests;
      return [door, await Balancer.start({ ports, closeAfterRequest })] as const;
    }));
    return new Cluster(setup, store, nodes, Object.fromEntries(balancers));
  }

  override get storage(): readonly string[] {
    return this.#storage;
  }

  override async said(what: string, from = 0): Promise<void> {
    await Promise.any(this.#nodes.map((node) => node.said(what, from)));
  }

  override signal(signal: Deno.Signal): void {
    for (const node of this.#nodes) node.signal(signal);
  }

  override async kill(signal: Deno.Signal): Promise<number> {
    for (const balancer of this.#balancers) balancer[Symbol.dispose]();
    const [code] = await Promise.all(this.#nodes.map((node) => node.kill(signal)));
    return code;
  }

  override async readFile(path: string, account = "anna"): Promise<Uint8Array<ArrayBuffer>> {
    const content = await this.#setup.tree.open(locate(path, account).place!, 0);
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    try {
      for await (const piece of content.pieces()) pieces.push(piece.slice());
    } finally {
      content.close();
    }
    return await new Blob(pieces).bytes();
  }

  override async addUser(
    name: string,
    options: { quota?: string; entries?: number; password?: string } = {},
  ): Promise<void> {
    const { quota = "none", entries, password = `${name}-secret` } = options;
    const verifier = await verifierOf(password);
    const limit = parseSize(quota) ?? null;
    const { accounts } = this.#setup.people;
    await accounts.add({ name, role: "user", limit, entryLimit: entries, verifier });
    await accounts.makeHome(name);
  }

  override async issueToken(name: string): Promise<string> {
    return await this.#setup.issueToken(name);
  }

  override async addKeys(name: string, text: string): Promise<void> {
    const { accounts, logins } = this.#setup.people;
    const { id } = await accounts.get(name);
    await logins.addKeys(id, parseAuthorizedKeys(text));
  }

  override async changeUser(name: string, change: AccountChange): Promise<void> {
    await this.#setup.people.accounts.change(name, change);
  }

  override async enableTotp(name: string): Promise<string> {
    const { db, secrets } = this.#setup.first;
    const sealed = sealFactorSecret(secrets, name, totpSecret);
    const sql =
      "UPDATE account SET totp_secret = $2, totp_step = 0, epoch = epoch + 1 WHERE name = $1";
    await db.all(sql, name, sealed);
    return totpSecret;
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

  override async stagedUploads(): Promise<number> {
    return await this.#number("SELECT count(*) AS n FROM upload");
  }

  override async disable(name: string): Promise<void> {
    await this.#setup.people.accounts.change(name, { disabled: true });
  }

  override async verify(): Promise<void> {
    await this.#setup.verify();
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.kill("SIGKILL");
    for (const node of this.#nodes) await node[Symbol.asyncDispose]();
    await this.#setup[Symbol.asyncDispose]();
  }

  async #number(sql: string): Promise<number> {
    return (await this.#setup.first.db.all<{ n: number }>(sql))[0].n;
  }
}
