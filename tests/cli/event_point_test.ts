/**
 * kill -9 at each step of a change, with a webhook: an event is delivered exactly for what happened. The steps
 * are those of fault_point_test.ts.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { type Server, startServer } from "../_server.ts";
import { eager, pattern, Peer, sha256 } from "../core/door/_peer.ts";
import { until } from "../_observe.ts";
import { killAtPoint, stopFault } from "./_stop_point.ts";
import { type Received, Receiver, waitingEvents } from "./_receiver.ts";

const points = ["renamed", "settled", "committed"];

interface Place {
  readonly data: string;
  readonly token: string;
  readonly receiver: Receiver;
  server: Server;
}

function start(data: string, { args, env }: Receiver): Promise<Server> {
  return startServer({ data, args: ["--workers", "1", ...args], env, fault: stopFault });
}

/** Makes a request, during which the server stops at the point, kills it there, and starts it again. */
async function killAt(
  place: Place,
  point: string,
  request: (peer: Peer) => Promise<void>,
): Promise<void> {
  await killAtPoint(place, point, request);
  place.server = await start(place.data, place.receiver);
}

/** Writes a file last, whose event shows that all earlier ones are delivered: one at a time is under way. */
async function marked(place: Place, name: string): Promise<void> {
  using peer = await Peer.open(place.server.address, place.token);
  await peer.ask(eager(`/home/${name}`, pattern(1)));
  await place.receiver.took(({ path }) => path === `/home/${name}`);
  // Events of other paths may be under way beside it.
  await until(() => waitingEvents(place.data) === 0);
}

Deno.test("kill -9 at each step of a change: an event for what happened, and for nothing else", async (t) => {
  const data = Deno.makeTempDirSync({ prefix: "barge-event-" });
  await using receiver = new Receiver();
  const first = await start(data, receiver);
  const place: Place = { data, receiver, server: first, token: "" };
  try {
    await first.addUser("anna", { quota: "100000000" });
    const prepared = { ...place, token: await first.issueToken("anna") };
    const of = (is: (event: Received) => boolean) => receiver.taken.filter(is);
    let number = 0;
    for (
      const [kind, size, earlier] of [
        ["small", 3000, ["sealed", "staged", "synced"]],
        ["large", 1024 * 1024 + 1, ["staged", "synced", "sealed"]],
      ] as const
    ) {
      for (const point of [...earlier, ...points]) {
        await t.step(`a ${kind} upload: ${point}`, async () => {
          const path = `/home/${++number}`;
          const bytes = pattern(size, number);
          await killAt(prepared, point, async (peer) => {
            if (kind === "small") return await peer.send(eager(path, bytes));
            await peer.ask({ verb: "put", path, size });
            await peer.send({ offset: 0, body: size }, bytes, { sha256: sha256(bytes) });
          });
          const happened = existsSync(`${data}/homes/anna/${number}`);
          assert.equal(happened, points.includes(point));
          await marked(prepared, `after-${number}`);
          const events = of((event) => event.path === path);
          assert.deepEqual(events.map((event) => event.sha256), happened ? [sha256(bytes)] : []);
        });
      }
    }
    for (const verb of ["move", "remove"] as const) {
      for (const point of ["intended", ...points]) {
        await t.step(`a ${verb}: ${point}`, async () => {
          const [from, to] = [`/home/from-${++number}`, `/home/to-${number}`];
          {
            using peer = await Peer.open(prepared.server.address, prepared.token);
            await peer.ask(eager(from, pattern(10, number)));
          }
          const request = verb === "move"
            ? { verb, from, to, overwrite: "always" }
            : { verb, path: from, recursive: false };
          await killAt(prepared, point, (peer) => peer.send(request));
          const happened = !existsSync(`${data}/homes/anna/from-${number}`);
          assert.equal(happened, point !== "intended");
          await marked(prepared, `after-${number}`);
          const path = verb === "move" ? to : from;
          const events = of((event) => event.event === verb && event.path === path);
          assert.equal(events.length, happened ? 1 : 0);
          if (happened) assert.deepEqual([events[0].type, events[0].account], ["file", "anna"]);
        });
      }
    }
    await t.step("a new folder: made", async () => {
      await killAt(prepared, "made", (peer) => peer.send({ verb: "mkdir", path: "/home/folder" }));
      await marked(prepared, "after-folder");
      // Its row was not committed: the folder is on disk, as one that the operator made.
      assert.ok(existsSync(`${data}/homes/anna/folder`));
      assert.equal(of(({ event }) => event === "mkdir").length, 0);
    });
    await prepared.server.kill("SIGKILL");
  } finally {
    await place.server.kill("SIGKILL");
    Deno.removeSync(data, { recursive: true });
  }
});

Deno.test("kill -9 after a receiver has taken an event, before that is recorded: delivered again", async () => {
  const data = Deno.makeTempDirSync({ prefix: "barge-event-" });
  await using receiver = new Receiver();
  const { args, env } = receiver;
  try {
    const fault = "kill-supervisor-at=delivered";
    // The first account's event is the first one. The kill may come before the server is ready.
    await startServer({ data, args, env, fault }).then(({ ended }) => ended, () => {});
    const server = await startServer({ data, args, env });
    await until(() => waitingEvents(data) === 0);
    await server.kill("SIGTERM");
    const ids = receiver.taken.filter(({ event }) => event === "account-added").map(({ id }) => id);
    assert.equal(ids.length, 2);
    assert.equal(ids[0], ids[1]);
  } finally {
    Deno.removeSync(data, { recursive: true });
  }
});
