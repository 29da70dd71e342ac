/** Tokens: `barge token`, and `barge user tokens` at the server. */
import assert from "node:assert/strict";
import { startServer } from "../_server.ts";
import { lines } from "./_barge.ts";
import { logInto, secret } from "./_logged_in.ts";
import { type Place, Runner } from "./_runner.ts";

/** Returns the text of a new token from the output of `token add`. */
async function added(home: Place, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await home.barge(["token", "add", ...args]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /made the token [0-9a-f]{12}; it can't be shown again/);
  return stdout.trimEnd();
}

Deno.test("tokens of accounts", async (t) => {
  await using server = await startServer();
  await using runner = new Runner();

  await t.step("user tokens --revoke ends one login of an account, or all of them", async () => {
    await using all = await logInto(server, "anna");
    const { home, remote } = all;
    const place = runner.at(home);
    const tokens = (...args: string[]) =>
      place.barge(["user", "tokens", "anna", "--json", ...server.storage, ...args]);
    const [saved] = lines(await tokens());
    const others = [await server.issueToken("anna"), await server.issueToken("anna")];
    const ids = lines(await tokens()).map(({ id }) => id);
    assert.equal(ids.length, 1 + others.length);

    assert.deepEqual(lines(await tokens("--revoke", saved.id)), [{ id: saved.id, revoked: true }]);
    assert.equal((await home.barge(["ls"])).code, 11);
    assert.equal((await tokens("--revoke", saved.id)).code, 4);
    const trail = ["audit", "--json", "--account", "anna", ...server.storage];
    const [{ account, details }] = lines(await place.barge(trail))
      .filter(({ event }) => event === "login-failed");
    assert.deepEqual([account, details], ["anna", { with: "token" }]);

    assert.equal((await home.barge(["login", remote], { env: secret })).code, 0);
    assert.equal(lines(await tokens("--revoke", "all")).length, 3);
    assert.deepEqual(lines(await tokens()), []);
    assert.equal((await home.barge(["ls"])).code, 11);
  });

  await t.step(
    "a backup job with an append-only token adds files below its path, and nothing else",
    async () => {
      await using all = await logInto(server, "bella");
      const { home, remote } = all;
      const place = runner.at(home);
      const ok = async (args: string[], env?: Record<string, string>) => {
        const { code, stderr } = await home.barge(args, { env });
        assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
      };
      await Deno.writeTextFile(`${home.path}/dump`, "monday");
      await ok(["mkdir", "/home/backups"]);
      await ok(["put", "dump", "/home/secret"]);
      const token = await added(home, "backup", "--append-only", "--path", "/home/backups");

      const env = { BARGE_PASSWORD: token };
      const job = (...args: string[]) => place.barge([...args, "--server", remote], { env });
      const put = ["put", "dump", "/home/backups/monday", "--server", remote];
      assert.equal((await home.barge(put, { env })).code, 0);
      await Deno.writeTextFile(`${home.path}/dump`, "broken into");
      await Deno.mkdir(`${home.path}/tree`);
      await Deno.writeTextFile(`${home.path}/tree/e`, "e");
      const outside = /no such file or folder\n\(this token reaches only \/home\/backups\)\n/;
      const refusals: readonly [code: number, why: RegExp, args: string[]][] = [
        [
          11,
          /only add new files\n.*--append-only; choose a name/,
          ["put", "dump", "/home/backups/monday"],
        ],
        [
          11,
          /only add new files\n.*--append-only; log in with/,
          ["rm", "/home/backups/monday"],
        ],
        [11, /only add new files/, ["mv", "/home/backups/monday", "/home/backups/old"]],
        [11, /for files only/, ["token", "add", "wider"]],
        [11, /for files only/, ["token", "list"]],
        [4, outside, ["get", "/home/secret"]],
        [4, outside, ["put", "dump", "/home/new"]],
        [4, outside, ["put", "dump", "/home/"]],
        [4, outside, ["put", "dump", "/public/"]],
        [4, outside, ["put", "-r", "tree", "/home/"]],
        [4, outside, ["mkdir", "/home/q"]],
        [4, outside, ["mkdir", "-p", "/home/q/r"]],
        [4, outside, ["ls", "/public"]],
        [4, /no such file or folder\n$/, ["get", "/home/backups/none"]],
      ];
      for (const [code, why, args] of refusals) {
        const refused = await job(...args);
        assert.equal(refused.code, code, `${args.join(" ")}: ${refused.stderr}`);
        assert.match(refused.stderr, why);
      }
      for (const name of ["f", "g"]) {
        await Deno.writeTextFile(`${home.path}/tree/${name}`, name);
        const { code, stderr } = await job("put", "-r", "--update", "tree", "/home/backups");
        assert.equal(code, 0, stderr);
      }
      await ok(["get", "/home/backups/tree/g", "g"]);
      const { stdout } = await job("ls", "-r", "/home");
      assert.match(stdout, /backups[\s\S]*monday/);
      assert.doesNotMatch(stdout, /secret|old|new/);
      await ok(["get", "/home/backups/monday", "got"]);
      assert.equal(await Deno.readTextFile(`${home.path}/got`), "monday");
    },
  );

  await t.step("tokens are listed with their limits and last use, and revoked", async () => {
    await using all = await logInto(server, "carla");
    const { home, remote } = all;
    const place = runner.at(home);
    const scope = ["--doors", "native,sftp", "--from", "127.0.0.0/8", "--from", "::1"];
    const token = await added(home, "ci", "--read-only", ...scope, "--expires", "90d");
    const list = async () => lines(await place.barge(["token", "list", "--json"]));
    const facts = { access: "read-only", path: null, doors: ["native", "sftp"] };
    const from = ["127.0.0.0/8", "::1"];
    const [, unused] = await list();
    assert.deepEqual(
      { ...unused, id: "", created: "", expires: "" },
      {
        ...{ id: "", label: "ci", created: "", used: null, usedFrom: null, expired: false },
        ...{ ...facts, from, expires: "" },
      },
    );
    const days = (Date.parse(unused.expires) - Date.parse(unused.created)) / 86_400_000;
    assert.equal(Math.round(days), 90);

    const env = { BARGE_PASSWORD: token };
    assert.equal((await home.barge(["ls", "--server", remote], { env })).code, 0);
    const [, used] = await list();
    assert.equal(used.usedFrom, "127.0.0.1");
    assert.ok(Date.parse(used.used) >= Date.parse(used.created));
    const { stdout } = await home.barge(["token", "list"]);
    assert.match(stdout, /127\.0\.0\.1 .*read-only native,sftp from 127\.0\.0\.0\/8,::1 +ci\n/);
    const atServer = ["user", "tokens", "carla", "--json", ...server.storage];
    assert.deepEqual(lines(await place.barge(atServer)), await list());

    const revoked = await home.barge(["token", "revoke", used.id, "--json"]);
    assert.deepEqual(lines(revoked), [{ id: used.id, revoked: true }]);
    assert.equal((await place.barge(["ls", "--server", remote], { env })).code, 11);
    const nowhere = await place.barge(["token", "add", "job", "--path", "/home/nothing"]);
    assert.match(nowhere.stderr, /^\/home\/nothing does not exist yet$/m);
    const [, made] = nowhere.stdout.split("_");
    const ended = await place.barge(["token", "revoke", made]);
    assert.equal(ended.stderr, `revoked the token ${made}\n`);
    const again = await place.barge(["token", "revoke", used.id]);
    assert.equal(again.code, 4);
    assert.equal(again.stderr, `barge: token revoke ${used.id}: there is no such token\n`);
    assert.equal((await list()).length, 1);
  });

  await t.step("a saved login can be one with a token that was given", async () => {
    await using all = await logInto(server, "dora");
    const { home, remote } = all;
    const token = await added(home, "laptop", "--read-only");
    const env = { BARGE_PASSWORD: token };
    assert.equal((await home.barge(["login", remote], { env })).code, 0);
    assert.equal((await home.barge(["ls", "/home"])).code, 0);
    const refused = await home.barge(["mkdir", "/home/d"]);
    assert.equal(refused.code, 11);
    assert.match(
      refused.stderr,
      /can only read\n\(the token was made with --read-only; log in with/,
    );
  });

  await t.step(
    "a login revokes the login that it replaces, and no token that was given",
    async () => {
      await using all = await logInto(server, "gina");
      const { home, remote } = all;
      const place = runner.at(home);
      await Deno.remove(`${home.path}/.config/barge/logins.json`);
      const labels = async () =>
        lines(await place.barge(["user", "tokens", "gina", "--json", ...server.storage]))
          .map(({ label }) => label.replace(/ on .*/, ""));
      const login = async (env: Record<string, string>) => {
        const { code, stderr } = await home.barge(["login", remote], { env });
        assert.equal(code, 0, stderr);
        return stderr;
      };
      const before = await labels();
      const dumps =
        (await place.barge(["token", "add", "dumps", "--server", remote], { env: secret }))
          .stdout.trimEnd();
      const given = { BARGE_PASSWORD: dumps };
      await login(given);
      await login(secret);
      assert.deepEqual(await labels(), [...before, "dumps", "barge login"]);
      await login(given);
      assert.deepEqual(await labels(), [...before, "dumps"]);

      await login(secret);
      const made = { BARGE_PASSWORD: await added(place, "made", "--read-only") };
      const note =
        /the earlier login \(token (\w+)\) stays valid; with the password, `barge (token revoke \1 .*)` ends it/;
      const [, , command] = note.exec(await login(made))!;
      assert.equal((await home.barge(["ls"])).code, 0);
      await Deno.writeTextFile(`${home.path}/FILE`, secret.BARGE_PASSWORD);
      const ended = await home.barge(command.split(" "));
      assert.equal(ended.code, 0, ended.stderr);
      assert.deepEqual(await labels(), [...before, "dumps"]);
    },
  );

  await t.step("limits that can't be are refused, with the reason", async () => {
    await using all = await logInto(server, "emma");
    const home = runner.at(all.home);
    const refusals: readonly [why: RegExp, args: string[]][] = [
      [/exclude each other/, ["--read-only", "--append-only"]],
      [/a list of native, http, ftp, sftp/, ["--doors", "gopher"]],
      [/is no address and no network/, ["--from", "10.0.0.0/40"]],
      [/--expires.*a time in the future: a span like/, ["--expires", "2001-01-01"]],
      [/--expires.*a span like 12h or 90d/, ["--expires", "soon"]],
      [/^barge: token add --path home\/backups: /, ["--path", "home/backups"]],
    ];
    for (const [why, args] of refusals) {
      const { code, stdout, stderr } = await home.barge(["token", "add", "x", ...args]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, why);
      assert.equal(stdout, "");
    }
    assert.equal(lines(await home.barge(["token", "list", "--json"])).length, 1);
  });
});
