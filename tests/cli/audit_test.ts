/** `barge audit`: by the operator on a storage, and by an admin at a server. */
import assert from "node:assert/strict";
import type { AuditFields } from "../../core/session/audit_fields.ts";
import { onTwoNodes, startServer } from "../_server.ts";
import { until } from "../_observe.ts";
import { Home, lines } from "./_barge.ts";
import { Runner } from "./_runner.ts";

const http = ["--http", "127.0.0.1:0"];

Deno.test("the audit trail of a server", async (t) => {
  await using server = await startServer({ args: [...http, "--audit", "files"] });

  await t.step("an admin and the operator read the same trail, and nobody else does", async () => {
    await using home = new Home();
    await using runner = new Runner();
    const place = runner.at(home);
    const onStorage = async (...args: string[]) => {
      const result = await place.barge(["audit", "--json", ...server.storage, ...args]);
      assert.equal(result.code, 0, result.stderr);
      return lines(result) as unknown as AuditFields[];
    };
    const env = { BARGE_PASSWORD: "anna-secret" };
    const add = ["user", "add", "anna", "--role", "admin", ...server.storage];
    assert.equal((await place.barge(add, { env })).code, 0);
    assert.equal(
      (await place.barge(["user", "add", "bob", ...server.storage], {
        env: { BARGE_PASSWORD: "bob-secret" },
      })).code,
      0,
    );
    const remote = async (name: string, ...args: string[]) =>
      await place.barge(["audit", "--server", `barge://${name}@${server.address}`, ...args], {
        env: { BARGE_PASSWORD: await server.issueToken(name) },
      });
    const basic = { authorization: `Basic ${btoa("anna:anna-secret")}` };
    const json = { ...basic, "content-type": "application/json" };
    const api = (path: string, init: RequestInit = {}) =>
      fetch(`http://${server.facts.http}/api/v1${path}`, { headers: json, ...init });
    const body = JSON.stringify({ limit: 5_000_000 });
    const changed = await api("/accounts/bob", { method: "PATCH", body });
    assert.equal(changed.status, 200, await changed.text());
    assert.equal((await place.barge(["quota", "set", "bob", "7MB", ...server.storage])).code, 0);

    const all = await onStorage();
    const about = await onStorage("--account", "BOB");
    assert.deepEqual(about.map(({ event, by, door }) => [event, by, door]), [
      ["account-changed", null, null],
      ["account-changed", "anna", "http"],
      ["account-added", null, null],
    ]);
    assert.deepEqual(about[1].details, { limit: { from: 1_000_000, to: 5_000_000 } });
    assert.equal(about[1].address, "127.0.0.1");
    assert(all.some(({ event, details }) => event === "server-started" && details.version));
    assert(all.some(({ event, by }) => event === "login" && by === "anna"));
    assert.deepEqual(await onStorage("--since", "2999-01-01"), []);
    assert.equal((await onStorage("--since", "1h")).length, all.length);

    const seen = await remote("anna", "--json", "--account", "bob");
    assert.equal(seen.code, 0, seen.stderr);
    assert.deepEqual(lines(seen), about);
    const text = await remote("anna", "--account", "bob", "--since", "1h");
    const line =
      /^\d{4}-\S+Z account-changed bob by anna from 127\.0\.0\.1 \(http\) limit=1000000->5000000$/m;
    assert.match(text.stdout, line);
    assert.match(text.stdout, /^\S+ account-changed bob by the operator limit=5000000->7000000$/m);
    const refused = await remote("bob");
    assert.equal(refused.code, 11, refused.stderr);
    const hint = "(you are bob; log in as an admin, or use --data on the server)";
    assert.ok(refused.stderr.endsWith(`: only an admin may do that\n${hint}\n`), refused.stderr);
    const both = await remote("anna", ...server.storage);
    assert.equal(both.code, 2, both.stderr);

    const later = await onStorage("--account", "bob");
    const issuedByTest = ({ event }: AuditFields) => event === "token-issued";
    assert.deepEqual(later.filter((record) => !issuedByTest(record)).slice(1), about);
    assert.deepEqual([later[0].event, later[0].by], ["login", "bob"]);
    const page = await (await api("/audit?limit=3&account=bob")).json();
    assert.deepEqual(page.records, later.slice(0, 3));
    const rest = await (await api(`/audit?limit=3&account=bob&before=${page.next}`)).json();
    assert.deepEqual(rest, { records: later.slice(3), next: null });
    for (const query of ["before=x", "since=yesterday", `account=${"x".repeat(65)}`]) {
      const wrong = await api(`/audit?${query}`);
      await wrong.body?.cancel();
      assert.equal(wrong.status, 400, query);
    }
    const line2 = server.stderr().split("\n").find((line) => /"logger":"barge.audit"/.test(line));
    assert(line2 !== undefined, "records are lines of the log");
    assert(!server.stderr().includes("secret"));
  });

  await t.step(
    "changes of files are in the trail only where the operator asks for them",
    async () => {
      await using home = new Home();
      await server.addUser("carla", { password: "anna-secret" });
      const token = await server.issueToken("carla");
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const api = async (method: string, path: string, body?: string) => {
        const url = `http://${server.facts.http}/api/v1${path}`;
        const response = await fetch(url, { method, headers, body });
        const text = await response.text();
        assert(response.ok, text);
      };
      await api("PUT", "/files/home/f", "12345");
      await api("PUT", "/files/home/large", "x".repeat(700_000));
      const change = (from: string, to: string) => JSON.stringify({ from, to });
      await api("POST", "/copy", change("/home/f", "/home/g"));
      await api("POST", "/move", change("/home/g", "/home/h"));
      await api("DELETE", "/files/home/h");
      const run = (...args: string[]) =>
        home.barge([...args, "--server", `barge://carla@${server.address}`], {
          env: { BARGE_PASSWORD: token },
        });
      Deno.mkdirSync(`${home.path}/many/d`, { recursive: true });
      for (const name of ["a", "b", "d/c"]) {
        Deno.writeTextFileSync(
          `${home.path}/many/${name}`,
          name,
        );
      }
      assert.equal((await run("put", "-r", "many", "/home/")).code, 0);
      const result = await home.barge(["audit", "--json", "--account", "carla", ...server.storage]);
      const records = (lines(result) as unknown as AuditFields[]).toReversed()
        .filter(({ event }) => /^(commit|copy|move|remove|mkdir)$/.test(event));
      assert.deepEqual(
        records.slice(0, 5).map(({ event, details, door }) => [event, details.path, door]),
        [
          ["commit", "/home/f", "http"],
          ["commit", "/home/large", "http"],
          ["copy", "/home/g", "http"],
          ["move", "/home/g", "http"],
          ["remove", "/home/h", "http"],
        ],
      );
      assert.deepEqual(records[0].details, { path: "/home/f", size: 5, replaced: false });
      const many = records.slice(5).map(({ event, details }) => `${event} ${details.path}`).sort();
      assert.deepEqual(many, [
        "commit /home/many/a",
        "commit /home/many/b",
        "commit /home/many/d/c",
        "mkdir /home/many",
        "mkdir /home/many/d",
      ]);
      await until(() => /"event":"remove"/.test(server.stderr()));
    },
  );
});

Deno.test("a login that was answered is in the trail after a kill -9, and so is a change of settings", async () => {
  await using home = new Home();
  const config = `${home.path}/barge.toml`;
  Deno.writeTextFileSync(config, "[limits]\nmax-connections = 500\n");
  await using server = await startServer({ args: ["--config", config, ...http] });
  await server.addUser("anna");
  Deno.writeTextFileSync(config, "[limits]\nmax-connections = 800\n");
  server.signal("SIGHUP");
  const nodes = onTwoNodes ? 2 : 1;
  await until(() => server.stderr().split("the settings were reloaded").length > nodes);
  const url = `http://${server.facts.http}/api/v1/quota`;
  const headers = { authorization: `Bearer ${await server.issueToken("anna")}` };
  const response = await fetch(url, { headers });
  await response.body?.cancel();
  assert.equal(response.status, 200);
  await server.kill("SIGKILL");
  const result = await home.barge(["audit", "--json", ...server.storage]);
  const records = lines(result) as unknown as AuditFields[];
  const [login] = records;
  assert.deepEqual([login.event, login.account, login.door], ["login", "anna", "http"]);
  const detailsOf = (name: string) =>
    records.filter(({ event }) => event === name).map(({ details }) => details);
  const started = detailsOf("server-started").map(({ node }) => node);
  assert.equal(started.length, nodes);
  const changed = { "max-connections": { from: 500, to: 800 } };
  assert.deepEqual(
    detailsOf("settings-changed"),
    started.map((node) => node === undefined ? changed : { ...changed, node }),
  );
});
