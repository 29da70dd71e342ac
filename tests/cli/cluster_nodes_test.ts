/** The nodes of a cluster: what each one reports of itself, and how all of them are shown. */
import assert from "node:assert/strict";
import type { NodeFields } from "../../core/session/node_fields.ts";
import { hasEngines } from "../contract/store/_shared.ts";
import { eager, pattern, Peer, sha256 } from "../core/door/_peer.ts";
import { until } from "../_observe.ts";
import type { Server } from "../_server.ts";
import { Home, lines, type Outcome } from "./_barge.ts";
import { type NodeOptions, Nodes } from "./_nodes.ts";

const http = ["--http", "127.0.0.1:0"];
const password = "anna-secret";
const bytes = pattern(40_000, 1);

/** Two nodes with an admin, and the program of an operator on another machine. */
class Two implements AsyncDisposable {
  readonly nodes: Nodes;
  readonly a: Server;
  readonly b: Server;
  /** A token of the admin. */
  readonly token: string;
  readonly home = new Home();

  private constructor(nodes: Nodes, [a, b]: readonly Server[], token: string) {
    this.nodes = nodes;
    this.a = a;
    this.b = b;
    this.token = token;
  }

  static async start(options: NodeOptions = {}): Promise<Two> {
    const nodes = await Nodes.make();
    const token = await nodes.addUser("boss");
    await nodes.row("UPDATE account SET role = 'admin' WHERE name = 'boss' RETURNING id");
    const start = (name: string, options: NodeOptions = {}) =>
      nodes.start({ ...options, args: [...http, "--node-name", name, ...options.args ?? []] });
    return new Two(nodes, [await start("a", options), await start("b")], token);
  }

  /** Runs a command on the storage. */
  async barge(...args: readonly string[]): Promise<Outcome> {
    return await this.home.barge([...args, ...await this.nodes.setup.serveOptions()]);
  }

  /** Returns the only object of `barge status --json`. */
  async status() {
    const outcome = await this.barge("status", "--json");
    assert.equal(outcome.code, 0, outcome.stderr);
    return lines(outcome)[0];
  }

  /** Returns the state and the received bytes of each node, by name. */
  async states(): Promise<Record<string, string>> {
    const { nodes }: { nodes: NodeFields[] } = await this.status();
    return Object.fromEntries(nodes.map(({ name, state, received }) => [
      name,
      `${state} ${received}`,
    ]));
  }

  async get({ facts }: Server, path: string, headers: Record<string, string> = {}) {
    const authorization = `Bearer ${this.token}`;
    const url = `http://${facts.http}${path}`;
    const response = await fetch(url, { headers: { authorization, ...headers } });
    return { status: response.status, text: await response.text() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.home[Symbol.asyncDispose]();
    await this.nodes[Symbol.asyncDispose]();
  }
}

async function put({ address }: Server, token: string, path: string): Promise<void> {
  using peer = await Peer.open(address, token);
  await peer.ask(eager(path, bytes));
}

Deno.test({
  name: "status shows each node and the sums over all, without a login",
  ignore: !hasEngines,
  async fn() {
    await using two = await Two.start();
    const { a, b, token } = two;
    using idle = await Peer.open(a.address, token);
    await put(a, token, "/home/1");
    await put(b, token, "/home/2");
    await put(b, token, "/home/3");
    await idle.ask({ verb: "stat", path: "/home/3" });
    const now = await until(async () => {
      const now = await two.status();
      const received = now.nodes.map((node: NodeFields) => node.received);
      return String(received) === "40000,80000" && now;
    });
    assert.deepEqual(Object.keys(now), [
      ...["version", "started", "now", "workers", "restarts", "memory", "connections", "doors"],
      ...["logins", "bans", "overQuota", "accounts", "uploads", "rates", "nodes", "requests"],
    ]);
    const [first, second] = now.nodes;
    assert.deepEqual(Object.keys(first), [
      ...["id", "name", "state", "bucket", "version", "addresses", "started", "seen", "workers"],
      ...["restarts", "memory", "connections", "received", "sent", "rates", "logins"],
    ]);
    assert.deepEqual([first.name, first.state, first.bucket], ["a", "running", true]);
    assert.deepEqual(first.addresses, { native: a.address, http: a.facts.http });
    assert.deepEqual(first.connections, { open: 1, busy: 0, opened: 2, refused: 0 });
    assert.deepEqual(second.connections, { open: 0, busy: 0, opened: 2, refused: 0 });
    assert.deepEqual(now.connections, { open: 1, opened: 4, refused: 0 });
    assert.deepEqual([now.workers, now.memory], [2, first.memory + second.memory]);
    assert.deepEqual([now.logins.ok, now.accounts.used, now.uploads.committed], [4, 120_000, 3]);
    const { outcomes } = now.requests.find(({ verb }: { verb: string }) => verb === "put");
    assert.deepEqual(outcomes, { ok: 3 });

    const { stdout } = await two.barge("status");
    assert.match(stdout, /^NODE +STATE +VERSION +UP +OPEN +BUSY +IN +OUT +RECEIVED +SENT +DOORS$/m);
    assert.match(stdout, /^a +running .* 1 +0 +\S+ \S+ +\S+ \S+ +40.0 kB +0 B .*native 127.0.0.1/m);
    assert.match(stdout, /^b +running .* 0 +0 +\S+ \S+ +\S+ \S+ +80.0 kB +0 B .*native 127.0.0.1/m);
    assert.match(stdout, /^sum +1 +0 +\S+ \S+ +\S+ \S+ +120 kB +0 B *$/m);
    assert.match(stdout, /^nodes +2 of 2, barge \d/m);

    // A server reports itself, and the sums of the storage.
    const { stdout: own } = await two.home.barge(
      ["status", "--server", `barge://boss@${b.address}`],
      { env: { BARGE_PASSWORD: password, ...environment(await two.nodes.setup.serveOptions()) } },
    );
    assert.match(own, /^up .*, node b$/m);
    assert.match(own, /^files +80.0 kB received/m);
    const both = await two.barge("status", "--server", `barge://boss@${b.address}`);
    assert.equal(both.code, 2);
    assert.match(both.stderr, /--server and --store exclude each other/);
  },
});

Deno.test({
  name: "a node that stops leaves the list, one that dies is shown as gone",
  ignore: !hasEngines,
  async fn() {
    await using two = await Two.start();
    const { a, b, nodes } = two;
    assert.deepEqual(await two.states(), { a: "running 0", b: "running 0" });
    using peer = await Peer.open(b.address, two.token);
    await peer.ask({ verb: "put", path: "/home/f", size: bytes.length });
    await peer.send({ offset: 0, body: bytes.length }, bytes.subarray(0, 10));
    b.process.kill("SIGTERM");
    await until(async () => (await two.states()).b === "stopping 10");
    await peer.ask(bytes.subarray(10), { sha256: sha256(bytes) });
    assert.equal(await b.ended, 0);
    assert.deepEqual(await two.states(), { a: "running 0" });

    await a.kill("SIGKILL");
    await nodes.row("UPDATE cluster_node SET seen = seen - interval '1 minute' RETURNING id");
    assert.deepEqual(await two.states(), { a: "gone 0" });
    assert.match(
      (await two.barge("status")).stdout,
      /^a +gone \d min .*- +- +- +- +- +- +- +http/m,
    );
    const doors = ["--native", a.address, "--http", a.facts.http!];
    await nodes.start({ args: ["--node-name", "a", ...doors] });
    assert.deepEqual(await two.states(), { a: "running 0" });
  },
});

Deno.test({
  name: "metrics name their node, and the sums of the cluster have names of their own",
  ignore: !hasEngines,
  async fn() {
    await using two = await Two.start();
    await put(two.a, two.token, "/home/1");
    const [a, b] = await Promise.all([two.a, two.b].map((node) => two.get(node, "/metrics")));
    for (const [{ text }, name, received] of [[a, "a", 40_000], [b, "b", undefined]] as const) {
      assert.match(text, new RegExp(`^barge_node_info{node="${name}",version="\\d[^"]*"} 1$`, "m"));
      assert.match(text, /^barge_cluster_used_bytes 40000$/m);
      assert.match(text, /^barge_busy_connections{door="http"} 1$/m);
      assert.doesNotMatch(text, /^barge_used_bytes/m);
      const line = /^barge_received_bytes_total{door="native"} (\d+)$/m.exec(text)?.[1];
      assert.equal(line, received?.toString());
    }
    assert.match(a.text, /^barge_cluster_nodes{state="running"} 2$/m);
    await two.b.kill("SIGKILL");
    const past = "UPDATE cluster_node SET seen = seen - interval '1 minute' WHERE name = 'b'";
    await two.nodes.row(`${past} RETURNING id`);
    const { text } = await two.get(two.a, "/metrics");
    assert.match(text, /^barge_cluster_nodes{state="running"} 1$/m);
    assert.match(text, /^barge_cluster_nodes{state="gone"} 1$/m);
  },
});

Deno.test({
  name: "the admin's page and the API of any node list all nodes",
  ignore: !hasEngines,
  async fn() {
    await using two = await Two.start();
    const { text, status } = await two.get(two.b, "/api/v1/nodes");
    assert.equal(status, 200);
    const { nodes, sum } = JSON.parse(text);
    assert.deepEqual(nodes.map(({ name }: NodeFields) => name), ["a", "b"]);
    assert.deepEqual([sum.nodes, sum.workers], [2, 2]);
    const cookie = await logIn(two.b);
    const { text: page } = await two.get(two.b, "/admin", { cookie });
    assert.match(page, /<h2 id="nodes">Nodes<\/h2>/);
    assert.match(page, /<th scope="row" title="[^"]*">a<\/th><td>running<\/td>/);
    assert.match(page, /Sum of 2/);
    assert.match(page, /Doors of node b/);
  },
});

/** Returns the cookie of the admin's login at the page. */
async function logIn({ facts }: Server): Promise<string> {
  const url = `http://${facts.http}/login`;
  const form = await fetch(url);
  const csrf = /name="csrf" value="([^"]+)"/.exec(await form.text())![1];
  const cookies = (response: Response) =>
    response.headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; ");
  const body = new URLSearchParams({ csrf, name: "boss", password, back: "" });
  const headers = { cookie: cookies(form) };
  const response = await fetch(url, { method: "POST", body, headers, redirect: "manual" });
  await response.body?.cancel();
  assert.equal(response.status, 303);
  return cookies(response);
}

/** Returns options of `serve` as variables. */
function environment(options: readonly string[]): Record<string, string> {
  const names = options.filter((_, i) => i % 2 === 0);
  return Object.fromEntries(names.map((name, i) => [
    `BARGE_${name.slice(2).replaceAll("-", "_").toUpperCase()}`,
    options[2 * i + 1],
  ]));
}

Deno.test({
  name: "a node is not ready while it alone does not reach the bucket, or while PostgreSQL hangs",
  ignore: !hasEngines,
  async fn() {
    await using two = await Two.start({ proxied: true });
    const { a, b, nodes } = two;
    const ready = async (node: Server) => {
      const { status, text } = await two.get(node, "/readyz");
      return `${status} ${text}`;
    };
    assert.equal(await ready(a), "200 ready\n");

    // Health checks ask the database only: the supervisor looks at the bucket every few seconds.
    let asked = 0;
    nodes.s3.rules = { onSent: () => (asked++, "pass") };
    await Promise.all(Array.from({ length: 300 }, () => ready(a)));
    assert.ok(asked <= 10, `${asked} pieces were sent to the bucket`);

    nodes.s3.refuse();
    await until(async () => (await ready(a)).startsWith("503"));
    assert.match(await ready(a), /this node does not reach the bucket, and others do/);
    const { text: metrics } = await two.get(b, "/metrics");
    assert.match(metrics, /^barge_cluster_nodes{state="running"} 1$/m);
    assert.match(metrics, /^barge_cluster_nodes{state="no-bucket"} 1$/m);
    assert.equal(await ready(b), "200 ready\n");
    await a.said("the bucket could not be used for 10 s");
    const { stdout } = await two.barge("status");
    assert.match(stdout, /^a +running, no bucket /m);
    await b.kill("SIGTERM");
    // No other node could do more than this one.
    assert.equal(await ready(a), "200 ready\n");
    nodes.s3.listen();
    await a.said("the bucket can be used again");
    assert.equal((await two.status()).nodes[0].bucket, true);

    nodes.postgres.hang();
    assert.match(await ready(a), /503 .*the database does not answer within 1 s/s);
    nodes.postgres.resume();
    nodes.postgres.cut();
    await until(async () => (await ready(a)) === "200 ready\n");
  },
});
