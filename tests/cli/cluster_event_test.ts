/** Events of a cluster: one node delivers each, another takes over when that node dies. */
import assert from "node:assert/strict";
import { BargeError } from "../../core/error.ts";
import { hasEngines } from "../contract/store/_shared.ts";
import { until } from "../_observe.ts";
import { Random } from "../_random.ts";
import { barge, type Server } from "../_server.ts";
import { eager, pattern, Peer, sha256, text } from "../core/door/_peer.ts";
import { Nodes } from "./_nodes.ts";
import { Receiver } from "./_receiver.ts";

const ignore = !hasEngines;

/** A cluster with the account anna, and a receiver of its events. */
class Stage implements AsyncDisposable {
  readonly receiver = new Receiver();

  private constructor(readonly nodes: Nodes, readonly token: string) {}

  static async make(): Promise<Stage> {
    const nodes = await Nodes.make();
    return new Stage(nodes, await nodes.addUser("anna"));
  }

  /** Starts a node that sends events to the receiver. */
  async start(): Promise<Server> {
    const { args, env } = this.receiver;
    return await this.nodes.start({ args, env });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.receiver[Symbol.asyncDispose]();
    await this.nodes[Symbol.asyncDispose]();
  }
}

async function waiting(nodes: Nodes): Promise<number> {
  return (await nodes.row<{ n: number }>("SELECT count(*) AS n FROM event")).n;
}

async function leader(nodes: Nodes): Promise<string | null> {
  const sql = "SELECT max(leader) AS leader FROM event_target WHERE until > now()";
  return (await nodes.row<{ leader: string | null }>(sql)).leader;
}

Deno.test({
  name: "one of two nodes delivers each event once, in order, and events of commands, too",
  ignore,
  async fn() {
    await using stage = await Stage.make();
    const { nodes, receiver, token } = stage;
    const [a, b] = [await stage.start(), await stage.start()];
    using first = await Peer.open(a.address, token);
    using second = await Peer.open(b.address, token);
    const large = pattern(700_000);
    for (let i = 0; i < 10; i++) {
      await first.ask(eager(`/home/${i}`, text(`first ${i}`)));
      await second.ask(eager(`/home/${i}`, text(`second ${i}`)));
      await first.ask({ verb: "move", from: `/home/${i}`, to: `/home/m${i}` });
      await second.ask({ verb: "remove", path: `/home/m${i}` });
    }
    await second.ask({ verb: "put", path: "/home/large", size: large.length });
    await second.ask({ offset: 0, body: large.length }, large, { sha256: sha256(large) });
    await first.ask({ verb: "copy", from: "/home/large", to: "/home/copy" });
    await first.ask({ verb: "mkdir", path: "/home/d" });
    await nodes.setup.node().people.accounts.change("anna", { limit: 50_000_000 });
    await until(async () => await waiting(nodes) === 0);
    const kinds = (name: string) =>
      receiver.taken.filter(({ path }) => path === `/home/${name}`)
        .map(({ event, size, replaced, from }) =>
          `${event} ${size ?? from ?? ""} ${replaced ?? ""}`
        );
    for (let i = 0; i < 10; i++) {
      assert.deepEqual(kinds(`${i}`), ["commit 7 false", "commit 8 true"]);
      assert.deepEqual(kinds(`m${i}`), [`move /home/${i} `, "remove  "]);
    }
    for (const name of ["large", "copy"]) assert.deepEqual(kinds(name), ["commit 700000 false"]);
    assert.deepEqual(kinds("d"), ["mkdir  "]);
    const changed = receiver.taken.filter(({ event }) => event === "account-changed");
    assert.deepEqual(changed.map(({ account, changed }) => [account, changed]), [["anna", [
      "quota",
    ]]]);
    const ids = receiver.attempts.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, "an event was delivered twice");
  },
});

Deno.test({
  name: "kill -9 of the node that delivers, again and again: each acknowledged upload is delivered",
  ignore,
  async fn() {
    await using stage = await Stage.make();
    const { nodes, receiver, token } = stage;
    const random = new Random(7);
    receiver.answer = () => new Response(null, { status: random.chance(0.1) ? 500 : 204 });
    const acknowledged: string[] = [];
    let servers: Server[] = [await stage.start(), await stage.start()];
    const put = async (server: Server, ms: number) => {
      const end = performance.now() + ms;
      try {
        using peer = await Peer.open(server.address, token);
        while (performance.now() < end) {
          const path = `/home/${acknowledged.length}-${crypto.randomUUID()}`;
          await peer.ask(eager(path, text(path)));
          acknowledged.push(path);
        }
      } catch (error) {
        if (!(error instanceof BargeError || error instanceof assert.AssertionError)) throw error;
      }
    };
    for (let round = 0; round < 3; round++) {
      await until(() => leader(nodes));
      const [victim, other] = servers;
      const kill = setTimeout(() => victim.process.kill("SIGKILL"), 500 + random.below(1000));
      await Promise.all([put(victim, 60_000), put(other, 2_000)]);
      clearTimeout(kill);
      await victim.ended;
      servers = [other, await stage.start()];
    }
    await until(async () => await waiting(nodes) === 0);
    const paths = new Set(receiver.paths());
    assert.deepEqual(acknowledged.filter((path) => !paths.has(path)), []);
    assert.ok(acknowledged.length > 10);
  },
});

Deno.test({
  name: "a node takes over from one that was killed with an event under way; list, retry and drop",
  ignore,
  async fn() {
    await using stage = await Stage.make();
    const { nodes, receiver, token } = stage;
    const first = await stage.start();
    const led = await until(() => leader(nodes));
    const second = await stage.start();
    receiver.answer = ({ path }) =>
      new Response(null, { status: path === "/home/bad" ? 500 : 204 });
    const held = receiver.hold("/home/a");
    using peer = await Peer.open(second.address, token);
    await peer.ask(eager("/home/a", text("x")));
    await held.arrived;
    assert.equal(await leader(nodes), led);
    await first.kill("SIGKILL");
    held.release();
    await until(() => receiver.taken.filter(({ path }) => path === "/home/a").length === 2);
    const ids = receiver.taken.filter(({ path }) => path === "/home/a").map(({ id }) => id);
    assert.equal(ids[0], ids[1]);
    assert.notEqual(await leader(nodes), led);

    await peer.ask(eager("/home/bad", text("x")));
    const store = await nodes.setup.serveOptions({});
    const run = async (...words: string[]) => {
      const { code, stdout, stderr } = await barge(["event", ...words, "--json", ...store]);
      assert.equal(code, 0, stderr);
      return stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
    };
    const [bad] = await until(async () => {
      const found = await run("list", "--failing");
      return found.length === 1 ? found : undefined;
    });
    assert.deepEqual([bad.facts.path, bad.error], ["/home/bad", "it answered 500"]);
    assert.deepEqual(await run("retry"), [{ retried: 1 }]);
    assert.deepEqual(await run("drop", `${bad.id}`), [{ dropped: 1 }]);
    assert.deepEqual(await run("list"), []);
  },
});
