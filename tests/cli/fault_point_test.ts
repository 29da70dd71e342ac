/**
 * kill -9 at each step of a change, on the real program: a worker stops dead at the point, is killed
 * there with all the rest, and the next start makes all or nothing of it. Each start serves what the
 * one before left, and is the next to be killed. A webhook gets an event exactly for what happened.
 */
import assert from "node:assert/strict";
import { until } from "../_observe.ts";
import { type Server, startServer } from "../_server.ts";
import { type Bytes, eager, pattern, Peer, type Piece, sha256 } from "../core/door/_peer.ts";
import { type Received, Receiver, waitingEvents } from "./_receiver.ts";
import { verify } from "./_verify.ts";

const MiB = 1024 * 1024;
const old = pattern(1000);
const small = pattern(3000, 1);
const large = pattern(MiB + 1, 2);
/** The other file in the home, which nothing may happen to. */
const beside = pattern(10, 3);
/** Room for the old file, the other one, and a large one in the place of the old, not a byte more. */
const quota = large.length + beside.length;

/** Names the point that the server is to stop at, in a folder that its workers may read. */
const stopFile = "removed/stop-point";

/** A data directory with an account and its files, as it was before each kill. */
interface Place {
  readonly data: string;
  readonly token: string;
  readonly receiver: Receiver;
  /** The one that runs on it; the next is started after a kill. */
  server: Server;
}

interface Facts {
  readonly entry: { type: string; size: number; sha256: string } | null;
  readonly upload: { offset: number } | null;
}

function start(data: string, { args, env }: Receiver): Promise<Server> {
  const fault = `stop=${stopFile}`;
  return startServer({ data, args: ["--workers", "1", ...args], env, fault });
}

async function prepare(data: string, receiver: Receiver): Promise<Place> {
  const server = await start(data, receiver);
  try {
    await server.addUser("anna", { quota: `${quota}` });
    const token = await server.issueToken("anna");
    await reset(server, token);
    return { data, token, receiver, server };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/** Brings it back to what `prepare` made. */
async function reset(server: Server, token: string): Promise<void> {
  using peer = await Peer.open(server.address, token);
  for (const path of ["/home/f", "/home/new"]) {
    await peer.send({ verb: "remove", path });
    await peer.answer();
  }
  await peer.ask(eager("/home/f", old));
  await peer.ask(eager("/home/beside", beside));
}

/**
 * Does `request`, during which the server stops dead at the point, and kills it there.
 *
 * @returns lists the events of the request and of all later ones
 */
async function killAt(
  place: Place,
  point: string,
  request: (peer: Peer) => Promise<void>,
): Promise<() => Promise<Received[]>> {
  const { data, token, server, receiver } = place;
  await until(() => waitingEvents(data) === 0);
  const earlier = receiver.taken.length;
  using peer = await Peer.open(server.address, token);
  Deno.writeTextFileSync(`${data}/${stopFile}`, point);
  await request(peer);
  await server.said(`reached ${point}\n`);
  await server.kill("SIGKILL");
  Deno.removeSync(`${data}/${stopFile}`);
  await peer.gone(); // no answer had left
  return async () => {
    await until(() => waitingEvents(data) === 0);
    // An event that was delivered right before the kill may be delivered again, with the same id.
    return [...new Map(receiver.taken.slice(earlier).map((event) => [event.id, event])).values()];
  };
}

async function stat(peer: Peer, path: string): Promise<Facts> {
  await peer.send({ verb: "stat", path });
  const answer = await peer.answer();
  return answer.ok ? answer as unknown as Facts : { entry: null, upload: null };
}

/** Uploads as a client does that finds out how much is there. @returns where it went on */
async function upload(peer: Peer, path: string, bytes: Bytes): Promise<number> {
  const { offset, prefix } = await peer.ask({ verb: "put", path, size: bytes.length }) as {
    [field: string]: never;
  };
  if (offset > 0) assert.equal(prefix, sha256(bytes.subarray(0, offset)));
  const rest = bytes.subarray(offset);
  const { sha256: told } = await peer.ask(
    { offset, body: rest.length },
    rest,
    { sha256: sha256(bytes) } as Piece,
  );
  assert.equal(told, sha256(bytes));
  return offset;
}

async function overwrite(place: Place, bytes: Bytes, point: string): Promise<void> {
  const path = "/home/f";
  const isSmall = bytes === small;
  const events = await killAt(place, point, async (peer) => {
    if (isSmall) return await peer.send(eager(path, bytes));
    await peer.ask({ verb: "put", path, size: bytes.length });
    await peer.send({ offset: 0, body: bytes.length }, bytes, { sha256: sha256(bytes) });
  });
  const happened = ["renamed", "settled", "committed"].includes(point);
  const there = happened ? bytes : old;
  assert.deepEqual(Deno.readFileSync(`${place.data}/homes/anna/f`), there);

  const server = place.server = await start(place.data, place.receiver);
  await verify(place.data);
  using peer = await Peer.open(server.address, place.token);
  const { entry, upload: left } = await stat(peer, path);
  assert.deepEqual([entry?.size, entry?.sha256], [there.length, sha256(there)]);
  // A small one is sealed before a byte of it is staged, and sent anew whatever is there.
  const nothing = happened || (isSmall && point === "sealed");
  assert.equal(left?.offset, nothing ? undefined : bytes.length);
  const { used, reserved } = await peer.ask({ verb: "quota" });
  const more = nothing ? 0 : bytes.length - old.length;
  assert.deepEqual([used, reserved], [there.length + beside.length, more]);

  if (isSmall) await peer.ask(eager(path, bytes));
  else assert.equal(await upload(peer, path, bytes), nothing ? 0 : bytes.length);
  const after = await peer.ask({ verb: "quota" });
  assert.deepEqual([after.used, after.reserved], [bytes.length + beside.length, 0]);
  assert.deepEqual(Deno.readFileSync(`${place.data}/homes/anna/f`), bytes);
  assert.deepEqual(Array.from(Deno.readDirSync(`${place.data}/staging`)), []);
  await verify(place.data);
  // The later upload has an event in each case.
  const uploads = happened ? [sha256(bytes), sha256(bytes)] : [sha256(bytes)];
  assert.deepEqual((await events()).map((event) => event.sha256), uploads);
  await reset(server, place.token);
}

/** A new file that has its name, though the ledger does not know it. */
async function create(place: Place, bytes: Bytes): Promise<void> {
  const path = "/home/new";
  const events = await killAt(place, "renamed", (peer) => peer.send(eager(path, bytes)));
  const staging = `${place.data}/staging`;
  assert.deepEqual(Array.from(Deno.readDirSync(staging)), []);

  const server = place.server = await start(place.data, place.receiver);
  await verify(place.data);
  assert.deepEqual(Array.from(Deno.readDirSync(staging)), []);
  assert.deepEqual(Deno.readFileSync(`${place.data}/homes/anna/new`), bytes);
  using peer = await Peer.open(server.address, place.token);
  assert.equal((await stat(peer, path)).entry?.sha256, sha256(bytes));
  const { used, reserved } = await peer.ask({ verb: "quota" });
  assert.deepEqual([used, reserved], [old.length + beside.length + bytes.length, 0]);
  assert.deepEqual((await events()).map((event) => event.sha256), [sha256(bytes)]);
  await reset(server, place.token);
}

/** New folders that are on disk, though the ledger has no rows of them. */
async function makeFolders(place: Place): Promise<void> {
  const path = "/home/folder/below";
  const request = { verb: "mkdir", path, parents: true };
  const events = await killAt(place, "made", (peer) => peer.send(request));

  const server = place.server = await start(place.data, place.receiver);
  await verify(place.data, ["homes/anna/folder", "homes/anna/folder/below"]);
  using peer = await Peer.open(server.address, place.token);
  assert.equal((await stat(peer, path)).entry?.type, "dir");
  const { used, reserved, entries } = await peer.ask({ verb: "quota" });
  assert.deepEqual([used, reserved, entries], [old.length + beside.length, 0, 2]);

  // They are folders like others: made again, written into, and removed.
  await peer.ask(request);
  assert.equal(await peer.fail({ ...request, parents: false }), "exists");
  await peer.ask(eager(`${path}/f`, small));
  await peer.ask({ verb: "remove", path: "/home/folder", recursive: true });
  assert.equal((await peer.ask({ verb: "quota" })).entries, 2);
  await verify(place.data);
  // The folders are on disk like those that an operator makes, which have no event either.
  assert.deepEqual((await events()).map(({ event }) => event), ["commit", "remove"]);
  await reset(server, place.token);
}

/** A move over another file, or a removal. */
async function change(place: Place, verb: "move" | "remove", point: string): Promise<void> {
  const [from, to] = ["/home/f", "/home/new"];
  const request = verb === "move"
    ? { verb, from, to, overwrite: "always" }
    : { verb, path: from, recursive: false };
  {
    using peer = await Peer.open(place.server.address, place.token);
    await peer.ask(eager(to, small));
  }
  const events = await killAt(place, point, (peer) => peer.send(request));
  const happened = point !== "intended";

  const server = place.server = await start(place.data, place.receiver);
  await verify(place.data);
  using peer = await Peer.open(server.address, place.token);
  const [a, b] = [(await stat(peer, from)).entry, (await stat(peer, to)).entry];
  assert.equal(a?.sha256, happened ? undefined : sha256(old));
  assert.equal(b?.sha256, sha256(happened && verb === "move" ? old : small));
  const { used, reserved } = await peer.ask({ verb: "quota" });
  const sizes = (a?.size ?? 0) + b!.size + beside.length;
  assert.deepEqual([used, reserved], [sizes, 0]);
  assert.deepEqual(Array.from(Deno.readDirSync(`${place.data}/staging`)), []);

  // The same again: done, or nothing is left of what it asks for.
  if (happened) assert.equal(await peer.fail(request), "not-found");
  else await peer.ask(request);
  await verify(place.data);
  const path = verb === "move" ? to : from;
  assert.deepEqual(
    (await events()).map((event) => [event.event, event.path, event.type, event.account]),
    [[verb, path, "file", "anna"]],
  );
  await reset(server, place.token);
}

/**
 * A large upload is killed at each step; the others are killed before and after the change. tests/contract/store kills
 * a small upload, a move and a removal at each step, without a server.
 */
const points = {
  small: ["sealed", "staged", "renamed", "committed"],
  large: ["staged", "synced", "sealed", "renamed", "settled", "committed"],
  change: ["intended", "renamed"],
} as const;

Deno.test("kill -9 at each step of a change: all of it or nothing, the books right, an event only for what happened, and again", async (t) => {
  const data = Deno.makeTempDirSync({ prefix: "barge-point-" });
  await using receiver = new Receiver();
  let place: Place | undefined;
  try {
    const prepared = place = await prepare(data, receiver);
    for (const point of points.small) {
      await t.step(`a small upload: ${point}`, () => overwrite(prepared, small, point));
    }
    for (const point of points.large) {
      await t.step(`a large upload: ${point}`, () => overwrite(prepared, large, point));
    }
    await t.step("a new file: renamed", () => create(prepared, small));
    await t.step("new folders: made", () => makeFolders(prepared));
    for (const verb of ["move", "remove"] as const) {
      for (const point of points.change) {
        await t.step(`a ${verb}: ${point}`, () => change(prepared, verb, point));
      }
    }
  } finally {
    await place?.server.kill("SIGKILL");
    Deno.removeSync(data, { recursive: true });
  }
});
