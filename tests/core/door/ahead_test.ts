/** Requests that the client sends with the proof of a login, before the proof is answered. */
import assert from "node:assert/strict";
import { type AheadRequest, maxDroppedBytes } from "../../../core/client/ahead.ts";
import { connect } from "../../../core/client/connect.ts";
import { firstRequests } from "../../../core/client/download/first_requests.ts";
import { get, type GetOptions } from "../../../core/client/get.ts";
import { listAll } from "../../../core/client/list.ts";
import { login } from "../../../core/client/login.ts";
import { ping } from "../../../core/client/ping.ts";
import { parseRemote } from "../../../core/client/remote.ts";
import { stat } from "../../../core/client/stat.ts";
import { Here } from "./_here.ts";
import { eager, pattern, Peer, sha256, text } from "./_peer.ts";

const content = pattern(100_000);

/** Starts a server with the files `/home/a/x`, of 100,000 bytes, and `/home/a/y`. */
async function start(): Promise<Here> {
  const here = await Here.start({});
  using peer = await Peer.open(here.address, here.token);
  await peer.ask({ verb: "mkdir", path: "/home/a" });
  await peer.ask(eager("/home/a/x", content));
  await peer.ask(eager("/home/a/y", text("y")));
  return here;
}

/** Returns the number of requests of each verb that the server has answered. */
function counts(here: Here): Record<string, number> {
  const { requests } = here.store.metrics.snapshot();
  return Object.fromEntries(requests.map(({ verb, count }) => [verb, count]));
}

Deno.test("requests ahead are answered once each, also where the client takes only some of them", async () => {
  await using here = await start();
  const before = counts(here);
  const ahead: AheadRequest[] = [
    { verb: "list", path: "/home", recursive: true },
    { verb: "stat", path: "/home/a/x" },
    { verb: "get", path: "/home/a/x", offset: 0 },
    // Longer than a frame may be before a login.
    { verb: "stat", path: `/home/${"\u0001".repeat(1000)}` },
    { verb: "stat", path: "/home/a" },
    { verb: "get-many", paths: ["/home/a/x", "/home/a/y", "/none"] },
    { verb: "list", path: "/none", recursive: true },
  ];
  await using client = await connect(parseRemote(here.address));
  await login(client, { token: here.token }, () => ahead);
  assert.equal((await stat(client, "/home/a/x")).entry?.size, content.length);
  assert.equal((await stat(client, "/home/a")).entry?.type, "dir");
  await ping(client); // drops the rest
  const names = (await listAll(client, "/home", { recursive: true })).map(({ name }) => name);
  assert.deepEqual(names, ["a", "a/x", "a/y"]);
  const after = counts(here);
  assert.equal(after.stat - (before.stat ?? 0), 3);
  assert.equal(after.list - (before.list ?? 0), 3);
});

Deno.test("after a refused proof, requests ahead are refused as well, and the connection stays", async () => {
  await using here = await start();
  await using client = await connect(parseRemote(here.address));
  const ahead = firstRequests(["/home/a/x"], "-", {});
  assert.deepEqual(ahead.map(({ verb }) => verb), ["stat", "get"]);
  const wrong = { token: here.token.slice(0, -1) + (here.token.endsWith("A") ? "B" : "A") };
  await assert.rejects(login(client, wrong, () => ahead), { kind: "unauthenticated" });
  await assert.rejects(stat(client, "/home/a/x"), { kind: "unauthenticated" });
  await ping(client);
  await login(client, { token: here.token });
  assert.equal((await stat(client, "/home/a/y")).entry?.size, 1);
});

Deno.test("an unneeded answer is dropped only up to a bound; a larger one ends the connection", async () => {
  await using here = await start();
  using peer = await Peer.open(here.address, here.token);
  for (const [size, due] of [[maxDroppedBytes, "open"], [maxDroppedBytes + 1, "closed"]] as const) {
    const content = new Uint8Array(size);
    await peer.ask({ verb: "put", path: `/home/${size}`, size });
    await peer.ask({ offset: 0, body: size }, content, { sha256: sha256(content) });
    await using client = await connect(parseRemote(here.address));
    await login(client, { token: here.token }, () => firstRequests([`/home/${size}`], "-", {}));
    assert.equal(await ping(client).then(() => "open", () => "closed"), due);
    if (due === "closed") assert.match(String(client.closed), /too large to drop/);
  }
});

Deno.test("a download to a FIFO or a device requests the bytes only once it is open", async () => {
  const dir = await Deno.makeTempDir();
  assert((await new Deno.Command("mkfifo", { args: [`${dir}/fifo`] }).output()).success);
  const verbs = (target: string) => firstRequests(["x"], target, {}).map(({ verb }) => verb);
  for (const target of [`${dir}/fifo`, "/dev/null"]) assert.deepEqual(verbs(target), ["stat"]);
  for (const target of ["-", `${dir}/file`]) assert.deepEqual(verbs(target), ["stat", "get"]);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a download makes no request twice", async (t) => {
  await using here = await start();
  const dir = await Deno.makeTempDir();
  const part = `.x.${"0".repeat(16)}.part`;
  // The verbs of the requests ahead, and the number of requests that the server answers; of `get-many`, each file counts.
  const cases: [string, string, GetOptions, string, Record<string, number>][] = [
    ["a large file", "/home/a/x", {}, "stat get", { stat: 1, get: 1 }],
    ["a small file", "/home/a/y", {}, "stat get", { stat: 1, get: 1 }],
    ["a folder without -r", "/home/a", {}, "stat get", { stat: 1, get: 1 }],
    ["a tree", "/home/a/", { recursive: true }, "stat list", { stat: 1, list: 1, get: 2 }],
    ["a file that exists", "/home/a/x", { update: true }, "stat", { stat: 1 }],
    ["a file with a part", "/home/a/x", {}, "stat", { stat: 1, get: 1 }],
  ];
  for (const [name, source, options, ahead, due] of cases) {
    await t.step(name, async () => {
      if (name.endsWith("part")) Deno.writeFileSync(`${dir}/${part}`, content);
      const requests = firstRequests([source], dir, options);
      assert.equal(requests.map(({ verb }) => verb).join(" "), ahead);
      const before = counts(here);
      await using client = await connect(parseRemote(here.address));
      await login(client, { token: here.token }, () => requests);
      const { failed } = await get(client, [source], dir, options);
      assert.equal(failed, name.includes("without") ? 1 : 0);
      await ping(client);
      const after = counts(here);
      const made = ["stat", "list", "get"].map((verb) =>
        [verb, (after[verb] ?? 0) - (before[verb] ?? 0)] as const
      );
      assert.deepEqual(Object.fromEntries(made.filter(([, count]) => count > 0)), due);
    });
  }
  assert.deepEqual(Deno.readFileSync(`${dir}/x`), content);
  assert.equal(Deno.readTextFileSync(`${dir}/y`), "y");
  await Deno.remove(dir, { recursive: true });
});
