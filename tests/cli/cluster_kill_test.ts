/** A node that is killed or stopped in the middle of an upload: another node takes the upload over. */
import assert from "node:assert/strict";
import { until } from "../_observe.ts";
import type { Server } from "../_server.ts";
import { hasEngines } from "../contract/store/_shared.ts";
import { type Bytes, pattern, Peer, sha256 } from "../core/door/_peer.ts";
import { Nodes } from "./_nodes.ts";

const quota = 2_000_000;
const bytes = pattern(900_000, 3);
const path = "/home/f";
/** The bytes that the first node gets, and those that it records before it is killed or stopped. */
const sentBytes = 500_000;
const recordedBytes = 256 * 1024;

interface Case {
  readonly nodes: Nodes;
  readonly first: Server;
  readonly second: Server;
  readonly token: string;
  /** The connection to the first node, in the middle of the upload. */
  readonly peer: Peer;
}

/** @param proxied whether the first node reaches the engines through the proxies */
function test(name: string, work: (c: Case) => Promise<void>, proxied = false): void {
  Deno.test({
    name,
    ignore: !hasEngines,
    async fn() {
      await using nodes = await Nodes.make();
      const token = await nodes.addUser("anna", quota);
      const [first, second] = [await nodes.start({ proxied }), await nodes.start()];
      using peer = await Peer.open(first.address, token);
      await peer.ask({ verb: "put", path, size: bytes.length });
      await peer.send({ offset: 0, body: bytes.length }, bytes.subarray(0, sentBytes));
      await until(async () => (await upload(nodes)).staged >= recordedBytes);
      await work({ nodes, first, second, token, peer });
      await nodes.setup.check();
      await nodes.setup.verify();
      await nodes.assertNoGarbage();
    },
  });
}

interface Row {
  readonly holder: string | null;
  readonly want: number;
  readonly staged: number;
}

async function upload(nodes: Nodes): Promise<Row> {
  return await nodes.row<Row>(
    `SELECT holder, want, (SELECT coalesce(sum(piece.size), 0)::bigint FROM piece
       WHERE piece.content = upload.content) AS staged FROM upload`,
  );
}

async function sums(nodes: Nodes): Promise<number[]> {
  const row = await nodes.row<{ used: number; reserved: number }>(
    "SELECT used, reserved FROM account",
  );
  return [row.used, row.reserved];
}

/** Goes on with the upload. @returns sends the rest, and checks the file */
async function resume({ address }: Server, token: string) {
  const peer = await Peer.open(address, token);
  const go = await peer.ask({ verb: "put", path, size: bytes.length });
  const offset = Number(go.offset);
  assert.ok(offset >= recordedBytes, `only ${offset} bytes were kept`);
  assert.equal(go.prefix, sha256(bytes.subarray(0, offset)));
  return async () => {
    using _ = peer;
    const trailer = { sha256: sha256(bytes) };
    await peer.ask({ offset, body: bytes.length - offset }, bytes.subarray(offset), trailer);
    await assertStored(peer, bytes);
  };
}

async function assertStored(peer: Peer, bytes: Bytes): Promise<void> {
  await peer.ask({ verb: "get", path });
  assert.equal(sha256(await peer.body()), sha256(bytes));
  await peer.answer();
}

/** Makes the time since the holder's last beat as long as needed. */
async function passDeadline(nodes: Nodes): Promise<void> {
  await nodes.row("UPDATE upload SET touched = now() - interval '1 minute'");
}

test("a client takes its upload over at once at another node after kill -9", async (c) => {
  await c.first.kill("SIGKILL");
  const finish = await resume(c.second, c.token);
  await finish();
  assert.deepEqual(await sums(c.nodes), [bytes.length, 0]);
});

test("the reservation of a node that was killed is given back, and its upload resumes", async (c) => {
  assert.deepEqual(await sums(c.nodes), [0, bytes.length]);
  await c.first.kill("SIGKILL");
  await passDeadline(c.nodes);
  const { staged } = await until(async () => {
    const row = await upload(c.nodes);
    return row.holder === null ? row : undefined;
  });
  assert.deepEqual(await sums(c.nodes), [0, staged]);
  const finish = await resume(c.second, c.token);
  await finish();
  assert.deepEqual(await sums(c.nodes), [bytes.length, 0]);
});

test("a node that was stopped beyond its deadline neither spoils nor commits a taken upload", async (c) => {
  c.first.process.kill("SIGSTOP");
  await passDeadline(c.nodes);
  const finish = await resume(c.second, c.token);
  // The rest of other bytes, which would be committed, were the node still the holder.
  const other = pattern(bytes.length - sentBytes, 77);
  const whole = new Uint8Array([...bytes.subarray(0, sentBytes), ...other]);
  await c.peer.send(other, { sha256: sha256(whole) });
  c.first.process.kill("SIGCONT");
  const answer = await c.peer.answer();
  assert.equal(answer.ok, false);
  assert.match(JSON.stringify(answer.error), /taken over/);
  await finish();
  assert.deepEqual(await sums(c.nodes), [bytes.length, 0]);
});

test("a node that continues after another one has committed changes nothing", async (c) => {
  c.first.process.kill("SIGSTOP");
  const finish = await resume(c.second, c.token);
  await finish();
  await c.peer.send(bytes.subarray(sentBytes), { sha256: sha256(bytes) });
  c.first.process.kill("SIGCONT");
  assert.equal((await c.peer.answer()).ok, false);
  using peer = await Peer.open(c.second.address, c.token);
  await assertStored(peer, bytes);
  assert.deepEqual(await sums(c.nodes), [bytes.length, 0]);
});

for (const healed of ["goes on", "is cut"] as const) {
  test(
    `a node that was cut off from its engines changes nothing when each connection ${healed}`,
    async (c) => {
      const proxies = [c.nodes.postgres, c.nodes.s3];
      for (const proxy of proxies) proxy.hang();
      await passDeadline(c.nodes);
      const finish = await resume(c.second, c.token);
      // The rest of other bytes, which would be committed, were the node still the holder.
      const other = pattern(bytes.length - sentBytes, 78);
      const whole = new Uint8Array([...bytes.subarray(0, sentBytes), ...other]);
      await c.peer.send(other, { sha256: sha256(whole) });
      for (const proxy of proxies) {
        proxy.resume();
        if (healed === "is cut") proxy.cut();
      }
      assert.equal((await c.peer.answer()).ok, false);
      await finish();
      assert.deepEqual(await sums(c.nodes), [bytes.length, 0]);
      // The node serves again.
      await until(async () => {
        using peer = await Peer.open(c.first.address, c.token).catch(() => undefined);
        if (!peer) return false;
        await peer.send({ verb: "get", path });
        const { ok } = await peer.answer();
        return ok === true && sha256(await peer.body()) === sha256(bytes);
      });
    },
    true,
  );
}
