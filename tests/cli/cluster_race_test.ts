/**
 * Uploads that race over two nodes and four doors for one quota.
 *
 * `BARGE_RACE_ROUNDS` is the number of races. Default: 1.
 */
import assert from "node:assert/strict";
import { Open } from "../../core/door/sftp/packet.ts";
import { parseAddress } from "../../core/net/address.ts";
import type { Server } from "../_server.ts";
import { hasEngines } from "../contract/store/_shared.ts";
import { type Bytes, eager, pattern, Peer, sha256 } from "../core/door/_peer.ts";
import { Client } from "../core/door/ftp/_client.ts";
import { SftpPeer, SftpStatus } from "../core/door/sftp/_peer.ts";
import { Nodes } from "./_nodes.ts";

const rounds = Number(Deno.env.get("BARGE_RACE_ROUNDS") ?? 1);
const KiB = 1024;
/** Small ones go in groups; those above 256 KiB have pieces of their own. */
const sizes = [1, 700, 5_000, 40_000, 120_000, 256 * KiB, 256 * KiB + 1, 400_000];
const lanes = 20;
const uploadsPerLane = 10;
const quota = 9_000_000;
/** The bytes of a write by SFTP. */
const packetBytes = 32 * KiB;

/** One connection, or a door without connections of its own. */
interface Lane extends AsyncDisposable {
  /** Uploads a file. @returns whether it was acknowledged; false where it is over quota */
  put(name: string, bytes: Bytes): Promise<boolean>;
}

Deno.test({
  name: "200 uploads over two nodes and four doors never exceed one quota, and end at the sum",
  ignore: !hasEngines,
  async fn() {
    await using nodes = await Nodes.make();
    const args = ["native", "http", "ftp", "sftp"].flatMap((door) => [`--${door}`, "127.0.0.1:0"]);
    const servers = [await nodes.start({ args }), await nodes.start({ args })];
    for (let round = 0; round < rounds; round++) await race(nodes, servers, `anna${round}`);
    await nodes.setup.check();
    await nodes.setup.verify();
  },
});

async function race(nodes: Nodes, servers: readonly Server[], user: string): Promise<void> {
  const token = await nodes.addUser(user, quota);
  const sums = () =>
    nodes.row<{ used: number; reserved: number }>(
      `SELECT used, reserved FROM account WHERE name = '${user}'`,
    );
  let racing = true;
  const watching = (async () => {
    while (racing) {
      const { used, reserved } = await sums();
      assert.ok(used + reserved <= quota, `${used} used and ${reserved} reserved of ${quota}`);
    }
  })();

  let acknowledged = 0;
  let refused = 0;
  const doors = [native, http, ftp, sftp];
  const run = async (number: number) => {
    const open = doors[Math.floor(number / servers.length) % doors.length];
    await using lane = await open(servers[number % servers.length], user, token);
    for (let n = 0; n < uploadsPerLane; n++) {
      const bytes = pattern(sizes[(number + n) % sizes.length], number);
      if (await lane.put(`${number}-${n}`, bytes)) acknowledged += bytes.length;
      else refused++;
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, number) => run(number)));
  racing = false;
  await watching;

  assert.ok(refused > 0, "all fitted: the quota was not raced for");
  const { used, reserved } = await sums();
  assert.equal(used, acknowledged);
  // An upload without a declared size that reaches the quota keeps its staged bytes as a partial upload.
  const left = quota - used - reserved;
  await using last = await native(servers[0], user, token);
  if (left > 0) assert.equal(await last.put("last", pattern(left, 1)), true);
  assert.deepEqual(await sums(), { used: used + left, reserved });
  assert.equal(await last.put("more", pattern(1, 1)), false);
}

async function native({ address }: Server, _user: string, token: string): Promise<Lane> {
  const peer = await Peer.open(address, token);
  return {
    async put(name, bytes) {
      const path = `/home/${name}`;
      if (bytes.length <= 64 * KiB) {
        await peer.send(eager(path, bytes));
        return isStored(await peer.answer());
      }
      await peer.send({ verb: "put", path, size: bytes.length });
      if (!isStored(await peer.answer())) return false;
      await peer.send({ offset: 0, body: bytes.length }, bytes, { sha256: sha256(bytes) });
      return isStored(await peer.answer());
    },
    [Symbol.asyncDispose]: () => Promise.resolve(peer[Symbol.dispose]()),
  };
}

function isStored(answer: { readonly ok?: unknown; readonly error?: unknown }): boolean {
  if (answer.ok !== true) assert.equal((answer.error as { kind: string }).kind, "over-quota");
  return answer.ok === true;
}

function http({ facts }: Server, _user: string, token: string): Promise<Lane> {
  return Promise.resolve({
    async put(name, bytes) {
      const response = await fetch(`http://${facts.http}/api/v1/files/home/${name}`, {
        method: "PUT",
        headers: { authorization: `Bearer ${token}` },
        body: bytes,
      });
      const text = await response.text();
      assert.ok([201, 507].includes(response.status), `${response.status} ${text}`);
      return response.status === 201;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}

async function ftp({ facts }: Server, user: string, token: string): Promise<Lane> {
  const client = await Client.open(parseAddress(facts.ftp!));
  await client.login(token, user);
  await client.ask("TYPE I", 200);
  return {
    async put(name, bytes) {
      const allocated = await client.ask(`ALLO ${bytes.length}`, 200, 552);
      if (allocated.startsWith("552")) return false;
      using data = await client.passive();
      const begun = await client.ask(`STOR /home/${name}`, 150, 552);
      if (begun.startsWith("552")) return false;
      // The server may cut it where the quota is reached.
      await data.send(bytes).catch(() => {});
      data.end();
      return (await client.expect(226, 552)).startsWith("226");
    },
    [Symbol.asyncDispose]: () => Promise.resolve(client[Symbol.dispose]()),
  };
}

async function sftp({ facts }: Server, username: string, password: string): Promise<Lane> {
  const peer = await SftpPeer.open(facts.sftp!, { username, password });
  return {
    async put(name, bytes) {
      try {
        const flags = Open.WRITE | Open.CREAT | Open.TRUNC;
        const handle = await peer.open(`/home/${name}`, flags);
        let written = true;
        for (let at = 0; written && at < bytes.length; at += packetBytes) {
          const part = bytes.subarray(at, at + packetBytes);
          written = await peer.write(handle, at, part).then(() => true, isOverQuota);
        }
        return await peer.close(handle).then(() => written, isOverQuota);
      } catch (error) {
        return isOverQuota(error);
      }
    },
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}

/** @returns false @throws {Error} any other failure */
function isOverQuota(error: unknown): false {
  if (error instanceof SftpStatus && /quota|room|available/.test(error.message)) return false;
  throw error;
}
