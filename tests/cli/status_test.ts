/** `barge status` at a real server with two workers, which die in the last test. */
import assert from "node:assert/strict";
import { connect } from "../../core/client/connect.ts";
import { login } from "../../core/client/login.ts";
import { parseRemote } from "../../core/client/remote.ts";
import { type Status, status } from "../../core/client/status.ts";
import { type Server, startServer } from "../_server.ts";
import { eager, pattern, Peer, text } from "../core/door/_peer.ts";
import { Home, lines } from "./_barge.ts";
import { saveLogin } from "./_logged_in.ts";

/** Saves a login of the admin. @returns the variables with which the program uses it */
async function asAdmin(home: Home, server: Server): Promise<Record<string, string>> {
  await saveLogin(home, server, "admin");
  return { BARGE_SERVER: `barge://admin@${server.address}` };
}

/** Returns the row of a verb's requests. */
function row({ requests }: Status, verb: string) {
  return requests.find((row) => row.verb === verb);
}

Deno.test("status sums the work of all workers", async () => {
  await using server = await startServer({ args: ["--workers", "2"] });
  await using home = new Home();
  await server.addUser("anna", { quota: "50000" });
  const env = await asAdmin(home, server);
  let token;
  {
    using first = await Peer.open(server.address, "anna"); // counted, too
    token = await first.token();
  }
  const peers = await Promise.all(
    Array.from({ length: 12 }, () => Peer.open(server.address, token)),
  );
  for (const [i, peer] of peers.entries()) {
    await peer.ask(eager(`/home/${i}`, pattern(1000, i)));
    await peer.fail({ verb: "stat", path: "/home/none" });
    await peer.fail({ verb: `dance ${i}` });
    await peer.ask({ verb: "get", path: `/home/${i}` });
    await peer.body();
    await peer.answer();
  }
  await peers[0].fail(eager("/home/much", pattern(60_000)));
  await peers[1].ask({ verb: "put", path: "/home/partial", size: 5000 });

  const printed = await home.barge(["status", "--json"], { env });
  assert.equal(printed.code, 0, printed.stderr);
  const now: Status = lines(printed)[0];
  assert.deepEqual(Object.keys(now), [
    ...["version", "started", "now", "workers", "restarts", "memory", "connections", "doors"],
    ...["logins", "bans", "overQuota", "accounts", "uploads", "requests", "sessions"],
  ]);
  assert.deepEqual([now.workers, now.restarts, now.overQuota], [2, 0, 1]);
  assert.deepEqual(now.connections, { open: 13, opened: 14, refused: 0 });
  assert.deepEqual(row(now, "put")?.outcomes, { ok: 12, "over-quota": 1 });
  assert.deepEqual(row(now, "stat")?.outcomes, { "not-found": 12 });
  assert.deepEqual(row(now, "other")?.outcomes, { unsupported: 12 });
  assert.equal(row(now, "get")?.count, 12);
  const [{ received, sent }] = now.doors;
  assert.deepEqual([received, sent], [12_000 + 60_000, 12_000]);
  assert.deepEqual(now.logins, { ok: 14, failed: 0 });
  const uploads = { committed: 12, unfinished: 1, moving: 1, staged: 5000 };
  assert.deepEqual(now.uploads, uploads);
  // The connections of the other worker are listed, too.
  assert.equal(now.sessions.length, 13);
  assert.equal(now.sessions.filter(({ account }) => account === "anna").length, 12);
  assert.ok(now.sessions.some(({ verb, path }) => verb === "put" && path === "/home/partial"));

  const shown = await home.barge(["status"], { env });
  assert.match(shown.stdout, /^workers +2, [\d.]+ MB of memory$/m);
  assert.match(
    shown.stdout,
    /^uploads +12 committed, 1 unfinished \(1 arriving now\), 5.00 kB reserved for them$/m,
  );
  assert.match(shown.stdout, /^native +put +13 +1 +[\d.]+ ms +[\d.]+ ms$/m);
  assert.match(shown.stdout, /^anna +native +127.0.0.1:\d+ +\d+ s +put \/home\/partial$/m);

  const denied = await home.barge(["status", "--json"], {
    env: {
      BARGE_SERVER: `barge://anna@${server.address}`,
      BARGE_PASSWORD: await server.issueToken("anna"),
    },
  });
  assert.equal(denied.code, 11, denied.stderr);
  assert.match(denied.stderr, /only an admin may do that\n\(you are \w+; log in as an admin\)/);
  assert.equal(denied.stdout, "");
  for (const peer of peers) peer[Symbol.dispose]();
});

Deno.test("no count decreases when workers die", async () => {
  // Each worker dies of an uncaught error one to two seconds after its start.
  await using server = await startServer({ args: ["--workers", "2"], fault: "die=1000" });
  const token = await server.issueToken("admin");
  let before: Status | undefined;
  let files = 0;
  const deadline = performance.now() + 60_000;
  // Until two workers have died and a connection has ended: a slow machine may serve only one by then.
  while (!before || before.restarts < 2 || before.connections.open >= before.connections.opened) {
    assert.ok(performance.now() < deadline, `${before?.restarts} restarts`);
    try {
      await using client = await connect(parseRemote(`barge://${server.address}`));
      await login(client, { token });
      for (let i = 0; i < 20; i++) {
        const bytes = text("hello, world\n");
        const answer = client.answer((frames) => client.next("put", frames));
        answer.catch(() => {/* awaited below; sending may fail first */});
        await client.send(eager(`/home/${files}`, bytes));
        await client.flush();
        await answer;
        files++;
        const now = await status(client);
        if (before) grew(before, now);
        assert.ok((row(now, "put")?.outcomes.ok ?? 0) >= files);
        before = now;
      }
    } catch (error) {
      // The connection's worker has died, or both workers are dead.
      if ((error as { kind?: string }).kind !== "unavailable") throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
});

/** Asserts that no count has decreased. */
function grew(before: Status, now: Status): void {
  const counts = (s: Status) => ({
    opened: s.connections.opened,
    restarts: s.restarts,
    logins: s.logins.ok,
    received: s.doors[0].received,
    ...Object.fromEntries(s.requests.map(({ verb, count }) => [verb, count])),
  } as Record<string, number>);
  const [old, fresh] = [counts(before), counts(now)];
  for (const name of Object.keys(old)) {
    assert.ok(fresh[name] >= old[name], `${name}: ${old[name]}, then ${fresh[name]}`);
  }
}
