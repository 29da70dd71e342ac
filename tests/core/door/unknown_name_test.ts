/** A name that no account has may be a password, typed into the wrong field: no log keeps it. */
import assert from "node:assert/strict";
import { barge, startServer } from "../../_server.ts";
import { doors } from "./_enter.ts";
import { basic, Client } from "./http/_client.ts";

Deno.test("the logs hold no name that no account has, at any door, also where it is banned", async () => {
  const at = "127.0.0.1:0";
  await using server = await startServer({
    args: [
      ...["--ftp", at, "--ftps", at, "--sftp", at, "--http", at, "--workers", "1"],
      ...["--ban-after", "1", "--log-level", "debug"],
    ],
  });
  await server.addUser("anna");
  const typed = (door: string) => `hunter2-typed-${door}`;
  // All at once: each is answered late.
  const entered = Object.entries(doors).map(([name, enter]) =>
    enter(server.facts[name as keyof typeof doors]!, typed(name), "wrong")
  );
  const asked = [["/api/v1/quota", "anna"], ["/dav/home/", typed("http")]].map(
    async ([path, name]) => {
      using client = await Client.open(server.facts.http!);
      return (await client.ask("GET", path, basic(name, "wrong"))).status;
    },
  );
  assert.deepEqual(await Promise.all(entered), [false, false, false, false]);
  assert.deepEqual(await Promise.all(asked), [401, 401]);
  using client = await Client.open(server.facts.http!);
  const page = await client.ask("GET", "/login");
  const [, csrf] = /name="csrf" value="([^"]+)"/.exec(page.text)!;
  const form = new URLSearchParams({ csrf, name: typed("page"), password: "wrong" });
  const type = { "content-type": "application/x-www-form-urlencoded" };
  assert.equal((await client.ask("POST", "/login", type, form.toString())).status, 401);
  const listed = await barge(["ban", "list", "--json", ...server.storage]);
  assert.equal(await server.kill("SIGTERM"), 0);
  const log = server.stderr();
  assert.doesNotMatch(log, /hunter2/);
  assert.doesNotMatch(listed.stdout, /hunter2/);
  // The same name is the same digest, in the log and in the list of bans.
  const records = log.split("\n").filter((line) => line.includes('"outcome":"unauthenticated"'))
    .map((line) => JSON.parse(line).account as string);
  assert.ok(records.includes("anna"));
  const banned = listed.stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line).account);
  const marks = new Set(records.filter((account) => account !== "anna"));
  assert.equal(marks.size, 6);
  for (const mark of marks) {
    assert.match(mark, /^\?[0-9a-f]{12}$/);
    assert.ok(banned.includes(mark), mark);
  }
});
