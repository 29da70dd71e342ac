/** Nodes whose clocks are an hour early and an hour late. */
import assert from "node:assert/strict";
import { until } from "../_observe.ts";
import { sealFactorSecret } from "../../core/shared/people/factors.ts";
import { codeAt, stepMs } from "../../core/protocol/totp.ts";
import { type Server, totpSecret } from "../_server.ts";
import { hasWrongClock, wrongClock } from "../_wrong_clock.ts";
import { hasEngines } from "../contract/store/_shared.ts";
import { type Bytes, pattern, Peer, sha256 } from "../core/door/_peer.ts";
import { Nodes } from "./_nodes.ts";

const bytes = pattern(900_000, 8);
const sentBytes = 500_000;
const http = ["--http", "127.0.0.1:0"];

Deno.test({
  name: "nodes whose clocks are an hour early and late serve as others do",
  ignore: !hasEngines || !hasWrongClock,
  async fn(t) {
    await using nodes = await Nodes.make();
    const token = await nodes.addUser("anna");
    const early = await nodes.start({ args: http, env: wrongClock("-1h") });
    const late = await nodes.start({ args: http, env: wrongClock("+1h") });
    const others = [[early, late], [late, early]] as const;
    for (const [node, hours] of [[early, -1], [late, 1]] as const) {
      const head = await fetch(`http://${node.facts.http}/healthz`);
      await head.body?.cancel();
      const differenceMs = Date.parse(head.headers.get("date")!) - Date.now();
      assert.equal(Math.round(differenceMs / 3_600_000), hours, "the clock is not changed");
    }

    await t.step("the object store takes their requests", async () => {
      for (const [i, [node, other]] of others.entries()) {
        const path = `/home/clock-${i}`;
        assert.equal((await send(node, token, path, "PUT", bytes)).status, 201);
        const { status, body } = await send(other, token, path, "GET");
        assert.equal(status, 200);
        assert.equal(sha256(body), sha256(bytes));
      }
    });

    await t.step("a lock that one has made holds at the other", async () => {
      for (const [i, [node, other]] of others.entries()) {
        const path = `/home/clock-${i}`;
        assert.equal(await dav(node, path, "LOCK", { timeout: "Second-600" }), 200);
        assert.equal(await dav(other, path, "PUT", {}), 423);
      }
    });

    await t.step("a code of a second factor is of the database's time", async () => {
      const setup = nodes.setup;
      const sealed = sealFactorSecret(setup.first.secrets, "anna", totpSecret);
      await nodes.row(
        `UPDATE account SET totp_secret = '${sealed}', totp_step = 0 RETURNING 1 AS n`,
      );
      for (const [node, hours, steps] of [[early, -1, 0], [late, 1, 1]] as const) {
        const now = Date.now();
        assert.equal(await prove(node, codeAt(totpSecret, now + hours * 3_600_000)), false);
        assert.equal(await prove(node, codeAt(totpSecret, now + steps * stepMs)), true);
      }
      await nodes.row("UPDATE account SET totp_secret = NULL RETURNING 1 AS n");
    });

    await t.step(
      "an upload stays its holder's while uploads of a dead node are freed",
      async () => {
        for (const node of [early, late]) {
          const dead = await nodes.start();
          using lost = await begin(dead, token, "/home/lost");
          using peer = await begin(node, token, "/home/held");
          await until(async () => await held(nodes) === 2);
          await dead.kill("SIGKILL");
          await nodes.row(
            `UPDATE upload SET touched = now() - interval '1 minute'
           WHERE name = convert_to('lost', 'UTF8')`,
          );
          await until(async () => await held(nodes) === 1);
          await peer.send(bytes.subarray(sentBytes), { sha256: sha256(bytes) });
          assert.equal((await peer.answer()).ok, true);
          lost[Symbol.dispose]();
        }
      },
    );

    await nodes.setup.check();
    await nodes.setup.verify();
  },
});

async function send(
  { facts }: Server,
  token: string,
  path: string,
  method: string,
  body?: Bytes,
): Promise<{ readonly status: number; readonly body: Bytes }> {
  const response = await fetch(`http://${facts.http}/api/v1/files${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    body,
  });
  return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
}

/** @returns the status */
async function dav(
  { facts }: Server,
  path: string,
  method: string,
  headers: Record<string, string>,
): Promise<number> {
  const response = await fetch(`http://${facts.http}/dav${path}`, {
    method,
    headers: { authorization: `Basic ${btoa("anna:anna-secret")}`, ...headers },
    body: method === "LOCK"
      ? `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>` +
        `<D:locktype><D:write/></D:locktype></D:lockinfo>`
      : "other",
  });
  await response.body?.cancel();
  return response.status;
}

/** Returns whether anna can log in with a code. */
async function prove({ address }: Server, code: string): Promise<boolean> {
  using peer = await Peer.open(address);
  const proof = await peer.proof("anna", "anna-secret");
  await peer.send({ verb: "proof", proof, code });
  return (await peer.answer()).ok === true;
}

/** Begins an upload. */
async function begin({ address }: Server, token: string, path: string): Promise<Peer> {
  const peer = await Peer.open(address, token);
  await peer.ask({ verb: "put", path, size: bytes.length });
  await peer.send({ offset: 0, body: bytes.length }, bytes.subarray(0, sentBytes));
  return peer;
}

async function held(nodes: Nodes): Promise<number> {
  const sql = "SELECT count(*) AS n FROM upload WHERE holder IS NOT NULL";
  return (await nodes.row<{ n: number }>(sql)).n;
}
