/**
 * A worker dies in the middle of a commit, and the server goes on: what it left behind is settled
 * without a restart, and what others were sending through it can be continued.
 */
import assert from "node:assert/strict";
import { until } from "../_observe.ts";
import { startServer } from "../_server.ts";
import { eager, pattern, Peer, sha256 } from "../core/door/_peer.ts";
import { verify } from "./_verify.ts";

const small = pattern(3000, 1);
const large = pattern(700_000, 2);
const sent = 300_000;

/** The outcome of the small file whose commit the worker died in. */
const outcomes: Partial<Record<string, "none" | "partial" | "file">> = {
  sealed: "none",
  synced: "partial",
  renamed: "file",
  settled: "file",
  committed: "file",
};

/** Names the point at which the worker is to die, in a folder that workers may read. */
const dieFile = "removed/die-point";

Deno.test("a worker that dies during an upload leaves nothing reserved, and the next one goes on", async (t) => {
  await using server = await startServer({ args: ["--workers", "1"], fault: `die-at=${dieFile}` });
  for (const [point, outcome] of Object.entries(outcomes)) {
    await t.step(`when an upload is ${point}`, async () => {
      await server.addUser(point, { quota: "1000000", password: "anna-secret" }); // its key is prepared
      const token = await server.issueToken(point);
      {
        using sending = await again(server.address, token);
        await sending.ask({ verb: "put", path: "/home/large", size: large.length });
        await sending.send({ offset: 0, body: large.length }, large.subarray(0, sent));
        using peer = await Peer.open(server.address, token);
        await until(async () =>
          offsetOf(await peer.ask({ verb: "stat", path: "/home/large" })) === sent
        );
        Deno.writeTextFileSync(`${server.data}/${dieFile}`, point);
        await peer.send(eager("/home/small", small));
        await server.said(`on purpose, at ${point}`);
        Deno.removeSync(`${server.data}/${dieFile}`);
      }
      using peer = await again(server.address, token);
      const used = outcome === "file" ? small.length : 0;
      const partial = outcome === "partial" ? small.length : 0;
      await until(async () => {
        const quota = await peer.ask({ verb: "quota" });
        return quota.used === used && quota.reserved === sent + partial;
      });
      await peer.send({ verb: "stat", path: "/home/small" });
      const facts = await peer.answer() as { ok: boolean; entry?: { sha256: string } | null };
      if (outcome === "none") assert.equal(facts.ok, false);
      else assert.equal(facts.entry?.sha256, outcome === "file" ? sha256(small) : undefined);
      const go = await peer.ask({ verb: "put", path: "/home/large", size: large.length });
      assert.deepEqual([go.offset, go.prefix], [sent, sha256(large.subarray(0, sent))]);
      await verify(server.data);
    });
  }
});

function offsetOf(answer: object): number | undefined {
  return (answer as { upload?: { offset: number } | null }).upload?.offset;
}

/** Logs in as soon as the next worker listens. */
async function again(address: string, token: string): Promise<Peer> {
  return await until(() => Peer.open(address, token).catch(() => undefined));
}
