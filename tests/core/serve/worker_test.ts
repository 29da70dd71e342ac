/** Workers: their permissions, their restarts, and several of them on one data directory. */
import assert from "node:assert/strict";
import type { DoorSpec } from "../../../core/door/door.ts";
import { Supervisor } from "../../../core/serve/supervisor.ts";
import { barge, startServer } from "../../_server.ts";
import { layHostKeys } from "../../_host_keys.ts";
import { eager, pattern, Peer, sha256 } from "../door/_peer.ts";
import { groundOf } from "./_ground.ts";

const native = (port: number): DoorSpec => ({
  name: "native",
  address: { host: "127.0.0.1", port },
  tls: "off",
});

Deno.test("a worker may touch users' files and the database, and nothing else", async () => {
  using elsewhere = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const data = await Deno.makeTempDir({ prefix: "barge-worker-" });
  await layHostKeys(data);
  Deno.writeTextFileSync(`${data}/accounts.db.backup`, "");
  try {
    await using server = await startServer({
      data,
      args: ["--workers", "1", "--tls", "--sftp", "127.0.0.1:0"],
      fault: `probe=${(elsewhere.addr as Deno.NetAddr).port}`,
    });
    await server.said("}.\n");
    const [, json] = /^probed (.*)\.$/m.exec(server.stderr())!;
    const outcome: Record<string, string> = JSON.parse(json);
    const allowed = Object.keys(outcome).filter((name) => outcome[name] === "allowed");
    const folders = ["homes", "public", "staging", "removed"];
    assert.deepEqual(allowed, [
      ...folders.flatMap((name) => [`write in ${name}`, `read in ${name}`, `remove in ${name}`]),
      "open the database",
      "remove admin-password",
    ]);
    const odd = Object.entries(outcome).filter(([, what]) =>
      !/^(allowed|refused|gone)$/.test(what)
    );
    assert.deepEqual(odd, []);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});

Deno.test("a worker that dies is started again, also if the first attempt fails", async () => {
  const data = await Deno.makeTempDir({ prefix: "barge-worker-" });
  Deno.mkdirSync(`${data}/public`);
  using watcher = Deno.watchFs(`${data}/public`);
  const supervisor = new Supervisor({
    ground: groundOf(data),
    doors: [native(1)],
    shared: false,
    module: new URL("./_dying.ts", import.meta.url),
  });
  await supervisor.start(1);
  Deno.writeTextFileSync(`${data}/public/dies`, "");
  for await (const _ of watcher) {
    if (Deno.readTextFileSync(`${data}/public/starts`) === "start\n".repeat(4)) break;
  }
  await supervisor.stop(1000);
  await Deno.remove(data, { recursive: true });
});

Deno.test("clients at several workers share one quota and one file", async (t) => {
  await using server = await startServer({ args: ["--workers", "4"] });
  await server.addUser("anna", { quota: "100000" });
  const token = await server.issueToken("anna");
  const peers = await Promise.all(
    Array.from({ length: 16 }, () => Peer.open(server.address, token)),
  );
  try {
    await t.step("three of 16 uploads fit", async () => {
      const said = await Promise.all(peers.map(async (peer, i) => {
        await peer.send(eager(`/home/${i}`, pattern(30_000, i)));
        const answer = await peer.answer();
        return answer.ok ? "ok" : (answer.error as { kind: string }).kind;
      }));
      assert.deepEqual(
        said.sort(),
        [...Array(3).fill("ok"), ...Array(13).fill("over-quota")].sort(),
      );
      const { used, reserved } = await peers[0].ask({ verb: "quota" });
      assert.deepEqual([used, reserved], [90_000, 0]);
      await peers[0].send(...peers.map((_, i) => ({ verb: "remove", path: `/home/${i}` })));
      for (const _ of peers) await peers[0].answer();
    });
    await t.step("announced uploads are counted, too", async () => {
      const asked = await Promise.all(peers.map(async (peer, i) => {
        await peer.send({ verb: "put", path: `/home/${i}`, size: 45_000 });
        return { peer, ok: (await peer.answer()).ok };
      }));
      const going = asked.filter(({ ok }) => ok);
      assert.equal(going.length, 2);
      for (const { peer } of going) {
        const bytes = pattern(45_000);
        await peer.ask({ offset: 0, body: bytes.length }, bytes, { sha256: sha256(bytes) });
      }
      const { used, reserved } = await peers[0].ask({ verb: "quota" });
      assert.deepEqual([used, reserved], [90_000, 0]);
      await peers[0].send(...peers.map((_, i) => ({ verb: "remove", path: `/home/${i}` })));
      for (const _ of peers) await peers[0].answer();
    });
    await t.step("readers of a path that all clients overwrite see one whole file", async () => {
      const versions = new Map(peers.map((_, i) => {
        const bytes = pattern(5000 + i, i);
        return [sha256(bytes), bytes] as const;
      }));
      const all = [...versions.values()];
      await peers[0].ask(eager("/home/one", all[0]));
      await Promise.all(peers.map(async (peer, i) => {
        for (let round = 0; round < 8; round++) {
          await peer.ask(eager("/home/one", all[i]));
          const { sha256: told } = await peer.ask({ verb: "get", path: "/home/one" });
          let size = 0;
          for await (const piece of peer.reader.body()) size += piece.length;
          const trailer = (await peer.answer()).sha256 as string;
          assert.equal(size, versions.get(trailer)?.length);
          if (told !== null) assert.equal(told, trailer);
        }
      }));
      const { used, reserved } = await peers[0].ask({ verb: "quota" });
      const { entry } = await peers[0].ask({ verb: "stat", path: "/home/one" });
      assert.deepEqual([used, reserved], [(entry as { size: number }).size, 0]);
    });
  } finally {
    for (const peer of peers) peer[Symbol.dispose]();
  }
  const { code, stdout, stderr } = await barge(["quota", "verify", "--data", server.data]);
  assert.equal(code, 0, stdout + stderr);
});
