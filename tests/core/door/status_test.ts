/** The verb status: for admins, in frames that fit, with what moves right now. */
import assert from "node:assert/strict";
import { makeVerifier } from "../../../core/protocol/verifier.ts";
import type { FrameValue } from "../../../core/protocol/frame.ts";
import { Here } from "./_here.ts";
import { pattern, Peer, sha256 } from "./_peer.ts";

/** A token of a new admin. */
async function admin({ store }: Here): Promise<string> {
  const verifier = await makeVerifier("token", "unused");
  const { id } = store.accounts.add({ name: "boss", role: "admin", limit: null, verifier });
  return (await store.tokens.issue(id, "test")).token!;
}

/** All frames of the answer. */
async function ask(peer: Peer): Promise<FrameValue[]> {
  const frames = [await peer.ask({ verb: "status" })];
  while (frames.at(-1)!.more) frames.push(await peer.answer());
  return frames;
}

Deno.test("who is no admin is told nothing", async () => {
  await using here = await Here.start({});
  using stranger = await Peer.open(here.address);
  assert.equal(await stranger.fail({ verb: "status" }), "unauthenticated");
  using peer = await Peer.open(here.address, here.token);
  assert.equal(await peer.fail({ verb: "status" }), "denied");
  await peer.ask({ verb: "ping" });
});

Deno.test("an upload under way is seen to move", async () => {
  await using here = await Here.start({});
  using boss = await Peer.open(here.address, await admin(here));
  using peer = await Peer.open(here.address, here.token);
  const bytes = pattern(300_000);
  await peer.ask({ verb: "put", path: "/home/big", size: bytes.length });
  await peer.send({ offset: 0, body: bytes.length }, bytes.subarray(0, 200_000));
  // deno-lint-ignore no-explicit-any
  let server: any, sessions: any[] = [];
  for (let i = 0; sessions[1]?.bytes !== 200_000; i++) {
    assert.ok(i < 1000, JSON.stringify(sessions));
    const frames = await ask(boss);
    server = frames[0].server;
    // deno-lint-ignore no-explicit-any
    sessions = frames.at(-1)!.sessions as any[];
  }
  const { account, door, address, verb, path } = sessions[1];
  assert.deepEqual(
    [account, door, address, verb, path],
    ["anna", "native", address, "put", "/home/big"],
  );
  assert.match(address, /^127\.0\.0\.1:\d+$/);
  assert.deepEqual([sessions[0].account, sessions[0].verb], ["boss", "status"]);
  assert.equal(server.doors[0].received, 200_000);
  assert.deepEqual(server.connections, { open: 2, opened: 2, refused: 0 });
  const uploads = { committed: 0, unfinished: 1, moving: 1, staged: 300_000 };
  assert.deepEqual(server.uploads, uploads);
  assert.equal(server.accounts.reserved, 300_000);
  await peer.ask(bytes.subarray(200_000), { sha256: sha256(bytes) });
  const after = (await ask(boss))[0].server as { uploads: object; doors: { received: number }[] };
  assert.deepEqual(after.uploads, { committed: 1, unfinished: 0, moving: 0, staged: 0 });
  assert.equal(after.doors[0].received, 300_000);
});

Deno.test("2,000 sessions with long names come in frames that fit", async () => {
  await using here = await Here.start({});
  using boss = await Peer.open(here.address, await admin(here));
  const crowd = Array.from({ length: 2000 }, (_, i) => {
    const presence = here.store.roster.enter("native", `[2001:db8::1]:${i}`);
    presence.account = "a".repeat(64);
    presence.doing = { verb: "get", path: `/home/${"☃\u0001".repeat(2000)}`, bytes: i };
    return presence;
  });
  for (const outcome of ["ok", "denied", "over-quota", "unavailable"] as const) {
    for (const verb of ["get", "put", "list", "stat"]) {
      for (const door of ["native", "http", "ftp", "ftps", "sftp"] as const) {
        here.store.metrics.addRequest(door, verb, outcome, 1);
      }
    }
  }
  const frames = await ask(boss); // its reader refuses what is longer than 64 KiB
  const rows = (name: string) => frames.flatMap((frame) => frame[name] as object[]);
  assert.ok(frames.length > 10, `${frames.length} frames`);
  assert.equal(rows("sessions").length, 1000);
  assert.equal((frames[0].server as { connections: { open: number } }).connections.open, 2001);
  assert.ok(rows("requests").length >= 20);
  await boss.ask({ verb: "ping" });
  for (const presence of crowd) presence.leave();
});
