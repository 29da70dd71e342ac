/** Accounts that end, and that log in from some networks only: `barge user add`, `set` and `apply`. */
import assert from "node:assert/strict";
import { basic } from "../core/door/http/_client.ts";
import { startServer } from "../_server.ts";
import { Home, lines } from "./_barge.ts";
import { Runner } from "./_runner.ts";

Deno.test("limits of accounts", async (t) => {
  await using server = await startServer({ args: ["--http", "127.0.0.1:0"] });

  await t.step("user add, set and apply limit when and from where an account logs in", async () => {
    await using home = new Home();
    await using runner = new Runner();
    const place = runner.at(home);
    const env = { BARGE_PASSWORD: "guest-secret" };
    const run = (...args: string[]) => place.barge([...args, "--data", server.data], { env });
    const at = `barge://guest@${server.address}`;
    const ls = (variables: Record<string, string> = env) =>
      place.barge(["ls", "--server", at], { env: variables });

    const limits = ["--expires", "2100-01-31", "--from", "127.0.0.0/8", "--from", "::1"];
    const add = ["user", "add", "guest", ...limits, "--data", server.data];
    assert.equal((await home.barge(add, { env })).code, 0);
    const shown = async () => lines(await run("user", "show", "guest", "--json"))[0];
    const { expires, expired, from } = await shown();
    assert.deepEqual([expires, expired], ["2100-01-31T00:00:00.000Z", false]);
    assert.deepEqual(from, ["127.0.0.0/8", "::1"]);
    assert.equal((await ls()).code, 0);

    const outside = await run("user", "set", "guest", "--from", "192.0.2.0/24");
    assert.match(
      outside.stderr,
      /guest ends: 2100-01-31T00:00:00.000Z; logs in from: 192.0.2.0\/24/,
    );
    const refused = await ls();
    assert.equal(refused.code, 11);
    const hint = "(this address is 127.0.0.1; the operator allows others with " +
      "`barge user set guest --from`)";
    const why = "the account may not be used from this address";
    assert.equal(refused.stderr, `barge: log in to ${at}: ${why}\n${hint}\n`);
    await server.said(why);
    const guessed = await ls({ BARGE_PASSWORD: "another-secret" });
    assert.equal(guessed.stderr, `barge: log in to ${at}: wrong name or password\n`);

    const end = await run("user", "set", "guest", "--from", "none", "--expires", "2020-01-01");
    assert.equal(end.code, 0, end.stderr);
    assert.match((await run("user", "list")).stdout, /guest +user, expired/);
    assert.match((await run("user", "show", "guest")).stdout, /expires +2020-01-01T00:00:00.000Z/);
    const late = await ls();
    assert.equal(late.code, 11);
    assert.match(late.stderr, /the account has expired\n\(.*`barge user set guest --expires`\)/);
    await server.said("the account has expired");
    const guessedLate = await ls({ BARGE_PASSWORD: "another-secret" });
    assert.match(guessedLate.stderr, /: wrong name or password\n$/);
    assert.equal((await run("user", "disable", "guest")).code, 0);
    assert.match((await ls()).stderr, /: wrong name or password\n$/);
    assert.equal((await run("user", "enable", "guest")).code, 0);

    const file = `${home.path}/accounts.json`;
    const apply = async (facts: object) => {
      const accounts = [{ name: "guest", ...facts }];
      await Deno.writeTextFile(file, JSON.stringify({ accounts }));
      return await run("user", "apply", file, "--json");
    };
    const [applied] = lines(await apply({ expires: "none", from: ["127.0.0.1"] }));
    assert.deepEqual(applied.changed, ["expires", "from"]);
    const again = lines(await apply({ expires: "none", from: ["127.0.0.1"] }));
    assert.equal(again[0].action, "unchanged");
    assert.equal((await ls()).code, 0);
    assert.equal((await apply({ expires: "soon" })).code, 2);
    assert.equal((await apply({ from: ["x"] })).code, 2);
    assert.equal((await run("user", "set", "guest")).code, 2);
    await Deno.writeTextFile(
      file,
      '{"accounts": [{"name": "past2", "password": "past-secret", "expires": "2020-01-01"}]}',
    );
    for (const args of [["add", "past", "--expires", "2020-01-01"], ["apply", file]]) {
      const { code, stdout, stderr } = await run("user", ...args);
      assert.equal(code, 0, stderr);
      assert.match(stdout + stderr, /past.*; it has expired already$/m);
    }
    const last = await run("user", "set", "admin", "--expires", "2100-01-01");
    assert.equal(last.code, 6, last.stderr);
  });

  await t.step(
    "an admin limits an account by the API, and its login at the page ends",
    async () => {
      await server.addUser("visitor");
      const base = `http://${server.facts.http}`;
      const admin = basic("admin", "anna-secret");
      const change = async (facts: object) => {
        const response = await fetch(`${base}/api/v1/accounts/visitor`, {
          method: "PATCH",
          headers: { ...admin, "content-type": "application/json" },
          body: JSON.stringify(facts),
        });
        return { status: response.status, json: await response.json() };
      };
      const quota = async () => {
        const response = await fetch(`${base}/api/v1/quota`, { headers: basic("visitor") });
        await response.body?.cancel();
        return response.status;
      };
      assert.equal(await quota(), 200);
      const outside = await change({ from: ["192.0.2.0/24"] });
      assert.deepEqual(outside.json.from, ["192.0.2.0/24"]);
      assert.equal(await quota(), 401);
      assert.equal((await change({ from: ["x"] })).status, 400);
      assert.equal((await change({ expires: "soon" })).status, 400);
      const ended = await change({ from: null, expires: "2020-01-01T00:00:00Z" });
      assert.deepEqual([ended.json.from, ended.json.expired], [null, true]);
      assert.equal(await quota(), 401);
      assert.equal((await change({ expires: null })).json.expires, null);
      assert.equal(await quota(), 200);
    },
  );
});
