/** Changes of accounts' state through one node, and requests to another node directly afterwards. */
import assert from "node:assert/strict";
import { hasEngines } from "../contract/store/_shared.ts";
import { until } from "../_observe.ts";
import type { Server } from "../_server.ts";
import { Peer } from "../core/door/_peer.ts";
import { Scripts, unix } from "../core/serve/_hook.ts";
import { Nodes } from "./_nodes.ts";

/** Requests of one account to one node. */
class Caller {
  readonly #server: Server;
  readonly #headers: Readonly<Record<string, string>>;

  /** @param login a token of the account, or a cookie */
  constructor(server: Server, login: string) {
    this.#server = server;
    this.#headers = login.startsWith("barge_")
      ? { authorization: `Bearer ${login}` }
      : { cookie: login };
  }

  /** Sends a request. @returns its status, headers and text */
  async ask(
    method: string,
    path: string,
    init: { readonly body?: string; readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<{ status: number; headers: Headers; text: string }> {
    const response = await fetch(`http://${this.#server.facts.http}${path}`, {
      method,
      body: init.body,
      headers: { ...this.#headers, ...init.headers },
      redirect: "manual",
    });
    const { status, headers } = response;
    return { status, headers, text: await response.text() };
  }

  async json(method: string, path: string, value: object) {
    const headers = { "content-type": "application/json" };
    const { text } = await this.ask(method, path, { headers, body: JSON.stringify(value) });
    return JSON.parse(text);
  }
}

interface Case {
  readonly nodes: Nodes;
  readonly servers: readonly [Server, Server];
  readonly token: string;
  /** The account anna at each node. */
  readonly anna: readonly [Caller, Caller];
}

function test(name: string, args: readonly string[], work: (c: Case) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !hasEngines,
    async fn() {
      await using nodes = await Nodes.make();
      const token = await nodes.addUser("anna");
      const start = () => nodes.start({ args: ["--http", "127.0.0.1:0", ...args] });
      const servers = [await start(), await start()] as const;
      const anna = [new Caller(servers[0], token), new Caller(servers[1], token)] as const;
      await work({ nodes, servers, token, anna });
    },
  });
}

test("a WebDAV lock that one node grants holds at the other node at once", [], async (c) => {
  const [a, b] = c.anna;
  const body =
    '<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>';
  for (const [first, second] of [[a, b], [b, a]]) {
    const made = await first.ask("LOCK", "/dav/home/f", { body });
    const headers = { if: `(${made.headers.get("lock-token")})` };
    assert.equal((await second.ask("PUT", "/dav/home/f", { body: "x" })).status, 423);
    assert.equal((await second.ask("DELETE", "/dav/home/f")).status, 423);
    assert.equal((await second.ask("LOCK", "/dav/home/f", { body })).status, 423);
    assert.equal((await second.ask("LOCK", "/dav/home/f", { headers })).status, 200, "refresh");
    assert.equal((await second.ask("PUT", "/dav/home/f", { body: "x", headers })).status, 204);
    const unlock = { "lock-token": made.headers.get("lock-token")! };
    assert.equal((await second.ask("UNLOCK", "/dav/home/f", { headers: unlock })).status, 204);
    assert.equal((await first.ask("DELETE", "/dav/home/f")).status, 204);
  }
});

test(
  "a share link made at one node, its limit and its end hold at the other node at once",
  [],
  async (c) => {
    const [a, b] = c.anna;
    const visit = async (server: Server, { url }: { url: string }) => {
      const { pathname } = new URL(url);
      const response = await fetch(`http://${server.facts.http}${pathname}/get/f`);
      await response.body?.cancel();
      return response.status;
    };
    const [first, second] = c.servers;
    await a.ask("PUT", "/api/v1/files/home/f", { body: "hello" });
    const limited = await a.json("POST", "/api/v1/shares", { path: "/home/f", downloads: 3 });
    const all = Array.from({ length: 10 }, (_, i) => visit(c.servers[i % 2], limited));
    const statuses = (await Promise.all(all)).sort();
    assert.equal(statuses.filter((status) => status === 200).length, 3, statuses.join());
    const ended = await a.json("POST", "/api/v1/shares", { path: "/home/f" });
    assert.equal(await visit(second, ended), 200);
    assert.equal((await b.ask("DELETE", `/api/v1/shares/${ended.id}`)).status, 204);
    assert.equal(await visit(first, ended), 404);
  },
);

test("failed logins at two nodes sum to a ban at both nodes, and its lifting holds at both", [
  "--ban-after",
  "4",
], async (c) => {
  const login = async (server: Server, secret = "anna-secret") => {
    using peer = await Peer.open(server.address);
    return await peer.prove("anna", secret);
  };
  for (let i = 0; i < 4; i++) assert.equal((await login(c.servers[i % 2], "wrong")).ok, false);
  for (const server of c.servers) {
    assert.equal((await login(server)).ok, false);
  }
  await c.nodes.setup.people.logins.liftBans("anna");
  for (const server of c.servers) assert.equal((await login(server)).ok, true);
});

test(
  "a token that is revoked at one node is refused at the other node at once, and its connections there end",
  [],
  async (c) => {
    using at = await Peer.open(c.servers[0].address, c.token);
    const token = await at.token();
    using idle = await Peer.open(c.servers[1].address, token);
    using busy = await Peer.open(c.servers[1].address, token);
    const caller = new Caller(c.servers[1], token);
    assert.equal((await caller.ask("GET", "/api/v1/files/home")).status, 200);
    await at.ask({ verb: "token", action: "revoke", id: /^barge_([^_]+)_/.exec(token)![1] });
    assert.equal((await caller.ask("GET", "/api/v1/files/home")).status, 401);
    assert.equal(await busy.fail({ verb: "stat", path: "/home" }), "unauthenticated");
    await idle.gone();
  },
);

test(
  "a login at the page of one node, its forms and its logout hold at the other node",
  [],
  async (c) => {
    const [first, second] = c.servers;
    const tokenOf = async (caller: Caller, path: string) =>
      /name="csrf" value="([^"]+)"/.exec((await caller.ask("GET", path)).text)![1];
    const send = (caller: Caller, path: string, fields: Record<string, string>) =>
      caller.ask("POST", path, {
        body: `${new URLSearchParams(fields)}`,
        headers: { "content-type": "application/x-www-form-urlencoded" },
      });
    const csrf = await tokenOf(new Caller(first, ""), "/login");
    const fields = { csrf, name: "anna", password: "anna-secret", back: "" };
    const { status, headers } = await send(new Caller(second, ""), "/login", fields);
    assert.equal(status, 303);
    const [cookie] = headers.getSetCookie()[0].split(";");
    const [a, b] = [new Caller(first, cookie), new Caller(second, cookie)];
    assert.equal((await a.ask("GET", "/files/home/")).status, 200);
    const form = { csrf: await tokenOf(a, "/files/home/"), dir: "/home", to: "made" };
    assert.equal((await send(b, "/do/mkdir", form)).status, 303);
    assert.match((await a.ask("GET", "/files/home/")).text, /made/);
    assert.equal((await send(b, "/logout", form)).status, 303);
    assert.equal((await a.ask("GET", "/files/home/")).status, 303);
  },
);

if (unix) {
  Deno.test({
    name: "one node runs the hook of each upload, also of those at other nodes",
    ignore: !hasEngines,
    async fn() {
      using scripts = new Scripts();
      await using nodes = await Nodes.make();
      const token = await nodes.addUser("anna");
      const facts = scripts.write(
        "facts",
        `sed 's/.*"file":"\\([^"]*\\)".*/\\1/' | xargs cat >> "$D/log"`,
      );
      const start = () => nodes.start({ args: ["--http", "127.0.0.1:0", "--on-commit", facts] });
      for (const [i, server] of [await start(), await start()].entries()) {
        const caller = new Caller(server, token);
        const body = `of ${i}\n`;
        assert.equal((await caller.ask("PUT", `/dav/home/${i}`, { body })).status, 201);
      }
      const lines = () => scripts.has("log") ? scripts.read("log").split("\n").sort() : [];
      await until(() => lines().length >= 3);
      assert.deepEqual(lines(), ["", "of 0", "of 1"]);
    },
  });
}
