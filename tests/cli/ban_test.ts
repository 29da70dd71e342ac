/** Failed logins against a server with two workers, and `barge ban`. */
import assert from "node:assert/strict";
import { barge, startServer } from "../_server.ts";
import { Peer } from "../core/door/_peer.ts";

Deno.test("three failures ban an account in all workers, until it is lifted", async () => {
  await using server = await startServer({ args: ["--workers", "2", "--ban-after", "3"] });
  const ban = (...args: string[]) => barge(["ban", ...args, ...server.storage]);
  await server.addUser("anna");
  await server.addUser("bob");
  const token = await server.issueToken("anna");

  const told: string[] = [];
  const bad = ["anna-secrets", "anna", ""];
  for (const secret of bad) {
    using peer = await Peer.open(server.address); // any of the two workers
    told.push(JSON.stringify(await peer.prove("anna", secret)));
  }
  const refused = Array.from({ length: 4 }, async () => {
    using peer = await Peer.open(server.address);
    const began = performance.now();
    told.push(JSON.stringify(await peer.prove("anna", "anna-secret")));
    assert.ok(performance.now() - began > 4500);
  });
  // Meanwhile a token, and others, log in.
  using known = await Peer.open(server.address, token);
  using _other = await Peer.open(server.address, "bob");
  await known.ask({ verb: "quota" });
  await Promise.all(refused);
  assert.equal(new Set(told).size, 1, told.join("\n"));
  assert.match(server.stderr(), /"account":"anna","address":"127.0.0.1"/);

  const listed = await ban("list", "--json");
  assert.equal(listed.code, 0, listed.stderr);
  const { since, until, ...rest } = JSON.parse(listed.stdout);
  assert.deepEqual(rest, { account: "anna", address: "127.0.0.1", times: 1 });
  assert.equal(Date.parse(until) - Date.parse(since), 300_000);
  assert.match((await ban("list")).stdout, /^ACCOUNT +ADDRESS +UNTIL +TIMES\nanna +127\.0\.0\.1 /);

  const none = await ban("lift", "bob");
  assert.equal(none.code, 4);
  assert.match(none.stderr, /^barge: ban lift bob: there is no such ban$/m);
  const lifted = await ban("lift", "Anna", "--json");
  assert.equal(lifted.code, 0, lifted.stderr);
  assert.deepEqual(JSON.parse(lifted.stdout), JSON.parse(listed.stdout));
  using again = await Peer.open(server.address, "anna");
  await again.ask({ verb: "quota" });
  assert.equal((await ban("list", "--json")).stdout, "");
});
