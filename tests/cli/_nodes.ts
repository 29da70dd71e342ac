/** Nodes of one cluster, with proxies in front of their engines. */
import assert from "node:assert/strict";
import type { Listing } from "../../core/shared/bucket/listing.ts";
import { objectName } from "../../core/shared/bucket/objects.ts";
import { type EngineAddresses, SharedSetup } from "../contract/store/_shared.ts";
import { Proxy } from "../core/shared/_proxy.ts";
import { verifierOf } from "../_passwords.ts";
import { type Server, startServer } from "../_server.ts";

export interface NodeOptions {
  readonly args?: readonly string[];
  /** Whether the engines are reached through the proxies. */
  readonly proxied?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** The storage of a cluster, the proxies, and the nodes that were started. */
export class Nodes implements AsyncDisposable {
  readonly setup: SharedSetup;
  readonly postgres: Proxy;
  readonly s3: Proxy;
  readonly #servers: Server[] = [];

  private constructor(setup: SharedSetup) {
    this.setup = setup;
    this.postgres = new Proxy({ hostname: setup.postgres.host, port: setup.postgres.port });
    const { hostname, port } = new URL(setup.bucket.url);
    this.s3 = new Proxy({ hostname, port: Number(port) });
  }

  /** @param on other engines than those of the environment */
  static async make(on?: EngineAddresses): Promise<Nodes> {
    return new Nodes(await SharedSetup.make(on));
  }

  async start({ args = [], proxied = false, env }: NodeOptions = {}): Promise<Server> {
    const ports = proxied ? { postgres: this.postgres.port, s3: this.s3.port } : {};
    const store = await this.setup.serveOptions(ports);
    const server = await startServer({ store, args: ["--workers", "1", ...args], env });
    this.#servers.push(server);
    return server;
  }

  /** Makes an account with the password `anna-secret`. @returns a token of it */
  async addUser(name: string, quota: number | null = null): Promise<string> {
    const { accounts } = this.setup.people;
    const verifier = await verifierOf("anna-secret");
    await accounts.add({ name, role: "user", limit: quota, verifier });
    await accounts.makeHome(name);
    return await this.setup.issueToken(name);
  }

  /** Returns the only row of a statement. */
  async row<T extends object>(sql: string): Promise<T> {
    return (await this.setup.first.db.all<T>(sql))[0];
  }

  /** Collects garbage as if a day had passed, and expects that each object in the bucket is of some piece. */
  async assertNoGarbage(): Promise<void> {
    const { parts } = this.setup.node();
    await parts.db.all(
      "UPDATE object SET until = now() - interval '1 hour' WHERE until IS NOT NULL",
    );
    await this.setup.collect();
    await parts.db.all(
      "UPDATE object SET until = now() - interval '1 hour' WHERE until IS NOT NULL",
    );
    await this.setup.collect();
    const rows = await parts.db.all<{ object: number }>("SELECT DISTINCT object FROM piece");
    const objects: string[] = [];
    for (let more: string | undefined = ""; more !== undefined;) {
      const page: Listing = await parts.bucket.list(more);
      objects.push(...page.objects.map(({ name }) => name));
      more = page.more ? objects.at(-1) : undefined;
    }
    assert.deepEqual(objects.sort(), rows.map(({ object }) => objectName(object)).sort());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) await server[Symbol.asyncDispose]();
    this.postgres[Symbol.dispose]();
    this.s3[Symbol.dispose]();
    await this.setup[Symbol.asyncDispose]();
  }
}
