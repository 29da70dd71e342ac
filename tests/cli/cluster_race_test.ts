/** Uploads that race over two nodes and two doors for one quota. */
import assert from "node:assert/strict";
import { hasEngines } from "../contract/store/_shared.ts";
import { eager, pattern, Peer, sha256 } from "../core/door/_peer.ts";
import type { Bytes } from "../core/door/_peer.ts";
import { Nodes } from "./_nodes.ts";

const KiB = 1024;
/** Small ones go in groups; those above 256 KiB have pieces of their own. */
const sizes = [1, 700, 5_000, 40_000, 120_000, 256 * KiB, 256 * KiB + 1, 400_000];
const lanes = 20;
const uploadsPerLane = 10;
const quota = 9_000_000;

/** Uploads a file. @returns whether it was acknowledged; false where it is over quota */
type Put = (name: string, bytes: Bytes) => Promise<boolean>;

Deno.test({
  name: "200 uploads over two nodes and two doors never exceed one quota, and end at the sum",
  ignore: !hasEngines,
  async fn() {
    await using nodes = await Nodes.make();
    const token = await nodes.addUser("anna", quota);
    const start = () => nodes.start({ args: ["--http", "127.0.0.1:0"] });
    const servers = [await start(), await start()];
    const sums = () =>
      nodes.row<{ used: number; reserved: number }>("SELECT used, reserved FROM account");
    let racing = true;
    const watching = (async () => {
      while (racing) {
        const { used, reserved } = await sums();
        assert.ok(used + reserved <= quota, `${used} used and ${reserved} reserved of ${quota}`);
      }
    })();

    let acknowledged = 0;
    let refused = 0;
    const race = async (lane: number) => {
      using stack = new DisposableStack();
      const { address, facts } = servers[lane % servers.length];
      const put = lane % 4 < 2
        ? native(stack.use(await Peer.open(address, token)))
        : http(facts.http!, token);
      for (let n = 0; n < uploadsPerLane; n++) {
        const bytes = pattern(sizes[(lane + n) % sizes.length], lane);
        if (await put(`${lane}-${n}`, bytes)) acknowledged += bytes.length;
        else refused++;
      }
    };
    await Promise.all(Array.from({ length: lanes }, (_, lane) => race(lane)));
    racing = false;
    await watching;

    assert.ok(refused > 0, "all fitted: the quota was not raced for");
    assert.deepEqual(await sums(), { used: acknowledged, reserved: 0 });
    await nodes.setup.check();
    await nodes.setup.verify();
  },
});

function native(peer: Peer): Put {
  return async (name, bytes) => {
    const path = `/home/${name}`;
    if (bytes.length <= 64 * KiB) {
      await peer.send(eager(path, bytes));
      return isStored(await peer.answer());
    }
    await peer.send({ verb: "put", path, size: bytes.length });
    if (!isStored(await peer.answer())) return false;
    await peer.send({ offset: 0, body: bytes.length }, bytes, { sha256: sha256(bytes) });
    return isStored(await peer.answer());
  };
}

function isStored(answer: { readonly ok?: unknown; readonly error?: unknown }): boolean {
  if (answer.ok !== true) assert.equal((answer.error as { kind: string }).kind, "over-quota");
  return answer.ok === true;
}

function http(address: string, token: string): Put {
  return async (name, bytes) => {
    const response = await fetch(`http://${address}/api/v1/files/home/${name}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${token}` },
      body: bytes,
    });
    const text = await response.text();
    assert.ok([201, 507].includes(response.status), `${response.status} ${text}`);
    return response.status === 201;
  };
}
