/** The data directory of a command: existing, lost, new, or of an older version. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { applicationId, migrations } from "../../core/local/database/schema.ts";
import { runningServers } from "../../core/serve/running_servers.ts";
import { startServer } from "../_server.ts";
import { eager, Peer, text } from "../core/door/_peer.ts";
import { Home, lines } from "./_barge.ts";
import { Runner } from "./_runner.ts";

const data = ["--data", "data"];
const doors = ["--native", "127.0.0.1:0", "--http", "off", "--workers", "1"];

const root = Deno.build.os === "linux" && Deno.uid() === 0;
const ofRoot = "what root's commands make belongs to the owner of the directory";

Deno.test("data directories of commands", async (t) => {
  await using runner = new Runner();

  await t.step(
    "a lost database is replaced only with --adopt, and no new account gets its files",
    async () => {
      await using home = new Home();
      const place = runner.at(home);
      const folder = `${home.path}/data`;
      Deno.mkdirSync(folder);
      {
        await using server = await startServer({ data: folder });
        await server.addUser("anna");
        using peer = await Peer.open(server.address, await server.issueToken("anna"));
        await peer.ask(eager("/home/a", text("a")));
      }
      const saved = await home.barge(["backup", "accounts.backup", ...data]);
      assert.equal(saved.code, 0, saved.stderr);
      for (const end of ["", "-wal", "-shm"]) {
        await Deno.remove(`${folder}/accounts.db${end}`).catch(() => {/* it did not exist */});
      }

      const tries = [
        ["serve", ...doors],
        ["serve", "--allow-register", ...doors],
        ["verify"],
        ["verify", "--repair"],
        ["quota", "verify"],
        ["user", "list"],
        ["user", "add", "anna", "--generate"],
        ["user", "apply", "accounts.json"],
        ["user", "apply", "accounts.json", "--dry-run"],
        ["backup", "other.backup"],
      ];
      Deno.writeTextFileSync(
        `${home.path}/accounts.json`,
        '{"accounts": [{"name": "anna", "password": "x"}]}',
      );
      for (const [i, args] of tries.entries()) {
        const { code, stderr } = await (i === 0 ? home : place).barge([...args, ...data]);
        assert.equal(code, 7, `${args}: ${stderr}`);
        assert.match(
          stderr,
          /its database is lost: there is \S+\/homes\/anna\/a, and no accounts\.db/,
        );
        assert.match(stderr, /put a backup of accounts\.db there.* --adopt/);
      }
      const file = await place.barge(["serve", ...doors, "--data", `${home.path}/accounts.json`]);
      assert.equal(file.code, 7);
      assert.match(file.stderr, /: it is a file, not a folder\n\(name a folder with --data\)/);
      // An empty file in its place is not a database, either.
      Deno.writeTextFileSync(`${folder}/accounts.db`, "");
      assert.equal((await place.barge(["verify", ...data])).code, 7);
      Deno.removeSync(`${folder}/accounts.db`);

      // A backup restores it.
      Deno.copyFileSync(`${home.path}/accounts.backup`, `${folder}/accounts.db`);
      assert.equal((await place.barge(["verify", ...data])).code, 0);
      for (const { name } of Deno.readDirSync(folder)) {
        if (name.startsWith("accounts.db")) Deno.removeSync(`${folder}/${name}`);
      }

      // Without a backup, --adopt makes a new database, in which every name with files is taken.
      await using server = await startServer({
        data: folder,
        args: ["--adopt", "--allow-register", "--http", "127.0.0.1:0"],
      });
      const env = { BARGE_PASSWORD: "guess-secret", BARGE_SERVER: `barge://${server.address}` };
      const stranger = await place.barge(["register", "anna"], { env });
      assert.equal(stranger.code, 14, stranger.stderr);
      assert.match(stranger.stderr, /homes\/anna holds files of a former account/);
      const takeovers = [
        ["user", "add", "anna", "--generate"],
        ["user", "apply", "accounts.json"],
        ["user", "apply", "accounts.json", "--dry-run"],
      ];
      for (const args of takeovers) {
        const { code, stderr } = await place.barge([...args, ...data]);
        assert.equal(code, 14, stderr);
        assert.match(stderr, /homes\/anna holds files.*\n.*--adopt/);
      }
      const password = server.adminPassword();
      const made = await fetch(`http://${server.facts.http}/api/v1/accounts`, {
        method: "POST",
        headers: {
          authorization: `Basic ${btoa(`admin:${password}`)}`,
          "content-type": "application/json",
        },
        body: JSON.stringify({ name: "anna", password: "xxxxxxxx", role: "user", limit: null }),
      });
      assert.equal(made.status, 409, await made.text());

      const adopted = await home.barge(["user", "add", "anna", "--generate", "--adopt", ...data]);
      assert.equal(adopted.code, 0, adopted.stderr);
      const repaired = await place.barge(["verify", "--repair", ...data]);
      assert.equal(repaired.code, 0, repaired.stderr);
      const quotas = lines(await place.barge(["quota", "list", "--json", ...data]));
      const used = quotas.map(({ account, used }) => [account, used]);
      assert.deepEqual(used, [["admin", 0], ["anna", 1]]);
    },
  );

  await t.step(
    "each command prints its data directory, and names other servers' ones where it is missing",
    async () => {
      await using home = new Home();
      const place = runner.at(home);
      const named = await home.barge(["user", "add", "alice", "--generate", ...data]);
      assert.equal(named.code, 0, named.stderr);
      assert.ok(named.stderr.startsWith(`data directory: ${home.path}/data\n`), named.stderr);
      assert.match(named.stderr, /^the directory is new/m);
      // A database without an admin is served, with a warning in the log.
      await using server = await startServer({ data: `${home.path}/data` });
      assert.match(server.stderr(), /no account is an admin/);
      if (Deno.build.os === "linux") {
        // Other servers may run on this machine, too.
        const found = runningServers().filter(({ data }) => data === server.data);
        assert.deepEqual(found, [{ pid: server.pid, data: server.data }]);
      }
      const usual = `${home.path}/.local/share/barge`;
      Deno.writeTextFileSync(
        `${home.path}/accounts.json`,
        '{"accounts": [{"name": "bob", "password": "bob-secret"}]}',
      );
      const missing = [
        ["user", "add", "anna", "--generate"],
        ["user", "apply", "accounts.json"],
        ["user", "list"],
        ["quota", "set", "anna", "1GB"],
        ["event", "list"],
        ["verify"],
        ["backup", "copy.db"],
        ["cert"],
      ];
      for (const args of missing) {
        const { code, stderr } = await place.barge(args);
        assert.equal(code, 4, `${args}: ${stderr}`);
        assert.ok(stderr.startsWith(`data directory: ${usual}\n`), stderr);
        if (Deno.build.os === "linux") {
          assert.match(
            stderr,
            /here; (a server runs on another directory|servers run on other directories): .*process \d+/,
          );
        }
        assert.match(stderr, /\(name the server's directory with --data or BARGE_DATA/);
        assert.throws(() => Deno.statSync(usual), Deno.errors.NotFound);
      }
      if (Deno.build.os === "linux") {
        const { stdout } = await place.barge(["doctor", "--http", "off"]);
        assert.match(
          stdout,
          /no data directory[^]*?(A server runs on another|Servers run on other) director.*process \d/,
        );
      }
      const env = { BARGE_DATA: server.data };
      const commands = [
        ["user", "add", "anna", "--generate"],
        ["user", "list"],
        ["user", "show", "anna"],
        ["user", "disable", "anna"],
        ["user", "enable", "anna"],
        ["user", "passwd", "anna", "--generate"],
        ["user", "tokens", "anna"],
        ["user", "key", "list", "anna"],
        ["user", "apply", "accounts.json"],
        ["user", "remove", "anna"],
        ["quota", "list"],
        ["quota", "set", "bob", "1GiB"],
        ["quota", "verify"],
        ["ban", "list"],
        ["verify"],
        ["backup", "copy.db"],
      ];
      for (const args of commands) {
        const { code, stderr } = await place.barge(args, { env });
        assert.equal(code, 0, `${args}: ${stderr}`);
        assert.equal(
          stderr.split(`data directory: ${server.data}\n`).length,
          2,
          `${args}: ${stderr}`,
        );
        assert.doesNotMatch(stderr, /new one|no server was/);
      }
      if (Deno.build.os === "linux") {
        const forgotten = { BARGE_DATA: `${home.path}/other` };
        const other = ["--data", forgotten.BARGE_DATA];
        const warned = async (args: string[], env?: Record<string, string>) => {
          const { code, stderr } = await place.barge(args, { env });
          assert.equal(code, 0, `${args}: ${stderr}`);
          return /^no server was found on this directory; (a server runs|servers run) on \w+ director\w+: \//m
            .test(stderr);
        };
        assert.ok(!await warned(["user", "add", "anna", "--generate", ...other]));
        const verbs = [
          ["quota", "set", "anna", "50"],
          ["user", "disable", "anna"],
          ["user", "list"],
          ["user", "tokens", "anna"],
          ["user", "apply", "accounts.json", "--dry-run"],
          ["quota", "list"],
          ["quota", "verify"],
          ["ban", "list"],
          ["event", "list"],
          ["verify"],
          ["audit"],
          ["backup", "copy.db", "--force"],
        ];
        for (const args of verbs) {
          assert.ok(await warned([...args, "--json"], forgotten), args.join(" "));
          assert.ok(!await warned([...args, ...other]), args.join(" "));
        }
        assert.ok(!await warned(["verify", "--quiet"], forgotten));
      }
    },
  );

  await t.step("the tables of an older barge are never changed under its server", async () => {
    await using home = new Home();
    const folder = `${home.path}/data`;
    Deno.mkdirSync(folder);
    old(folder, 3);
    {
      // An older server holds this lock.
      using lock = Deno.openSync(`${folder}/lock`, { create: true, write: true });
      await lock.lock(true);
      for (
        const args of [["user", "list"], ["verify"], ["backup", "copy.db"], ["serve", ...doors]]
      ) {
        const { code, stderr } = await runner.at(home).barge([...args, ...data]);
        assert.equal(code, 7, `${args}: ${stderr}`);
        assert.match(
          stderr,
          /a server of that version is running on it|another `barge serve` uses/,
        );
      }
      assert.equal(version(folder), 3);
    }
    const listed = await home.barge(["user", "list", ...data]);
    assert.equal(listed.code, 0, listed.stderr);
    const copy = `${folder}/accounts.db.version-3`;
    assert.ok(
      listed.stderr.includes(
        `the tables were upgraded from version 3 to ${migrations.length}; the old database was copied to`,
      ),
      listed.stderr,
    );
    const page = Deno.readTextFileSync(new URL("../../docs/upgrade.md", import.meta.url));
    assert.ok(page.includes(`upgraded from version 3 to ${migrations.length};`), "docs/upgrade.md");
    assert.ok(
      page.includes(`of the tables, this one has ${migrations.length})`),
      "docs/upgrade.md",
    );
    assert.equal(version(folder), migrations.length);
    assert.equal(Deno.statSync(copy).mode! & 0o777, 0o600);

    // The copy restores the old tables, which a server upgrades again.
    for (const end of ["", "-wal", "-shm"]) {
      await Deno.remove(`${folder}/accounts.db${end}`).catch(() => {/* it did not exist */});
    }
    Deno.renameSync(copy, `${folder}/accounts.db`);
    assert.equal(version(folder), 3);
    await using server = await startServer({ data: folder });
    assert.match(server.stderr(), /"WARN".*"message":"accounts.db: the tables were upgraded from/);
    assert.ok(Deno.statSync(copy).isFile);
  });

  await t.step({
    name: root ? ofRoot : `${ofRoot} (skipped: not root)`,
    ignore: !root,
    async fn() {
      await using home = new Home();
      const folder = `${home.path}/data`;
      Deno.mkdirSync(folder);
      const nobody = 65_534;
      Deno.chownSync(folder, nobody, nobody);
      const run = async (...args: string[]) => {
        const { code, stderr } = await runner.at(home).barge([...args, ...data]);
        assert.equal(code, 0, `${args}: ${stderr}`);
      };
      await run("user", "add", "anna", "--generate");
      Deno.removeSync(`${folder}/accounts.db`);
      old(folder, 3);
      Deno.chownSync(`${folder}/accounts.db`, nobody, nobody);
      await run("user", "list");
      await run("user", "add", "anna", "--generate");
      await run("user", "add", "root", "--generate", "--admin");
      for (const name of ["homes", "public", "staging"]) {
        Deno.mkdirSync(`${folder}/${name}`);
        Deno.chownSync(`${folder}/${name}`, nobody, nobody);
      }
      await run("user", "remove", "anna");
      const owners = [...Deno.readDirSync(folder)].map(({ name }) => {
        return [name, Deno.lstatSync(`${folder}/${name}`).uid];
      });
      assert.deepEqual(owners.filter(([, uid]) => uid !== nobody), []);
      assert.deepEqual(
        owners.map(([name]) => name).filter((name) => /version-3|lock|removed/.test(`${name}`))
          .sort(),
        ["accounts.db.version-3", "lock", "removed"],
      );
    },
  });
});

Deno.test("a directory that a crash left incomplete is served", async () => {
  await using home = new Home();
  const folder = `${home.path}/data`;
  const states: (() => void)[] = [
    () => {
      Deno.mkdirSync(`${folder}/homes/admin`, { recursive: true });
      Deno.writeTextFileSync(`${folder}/accounts.db`, "");
    },
    () => {
      Deno.writeTextFileSync(`${folder}/lock`, "");
      for (const name of ["public", "homes", "staging"]) Deno.mkdirSync(`${folder}/${name}`);
      old(folder, migrations.length);
    },
  ];
  for (const make of states) {
    Deno.mkdirSync(folder);
    make();
    await using server = await startServer({ data: folder, empty: true });
    assert.match(server.adminPassword(), /^\S{20,}$/);
    await server.kill("SIGKILL");
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("the first admin does not get existing files without --adopt", async () => {
  await using home = new Home();
  const folder = `${home.path}/data`;
  Deno.mkdirSync(`${folder}/homes/admin`, { recursive: true });
  old(folder, migrations.length);
  Deno.writeTextFileSync(`${folder}/homes/admin/a`, "a");
  const { code, stderr } = await home.barge(["serve", ...doors, ...data]);
  assert.equal(code, 7, stderr);
  assert.match(stderr, /there is no account, and homes\/admin holds files.*\n\(.*--adopt/);
  await using server = await startServer({ data: folder, args: ["--adopt"] });
  assert.match(server.adminPassword(), /^\S{20,}$/);
});

Deno.test("the first admin's password is in a file that only its owner reads, never in the log", async () => {
  await using home = new Home();
  const [folder, elsewhere] = [`${home.path}/data`, `${home.path}/elsewhere`];
  Deno.mkdirSync(folder);
  Deno.symlinkSync(elsewhere, `${folder}/admin-password`);
  await using server = await startServer({ data: folder, args: ["--http", "127.0.0.1:0"] });
  assert.throws(() => Deno.lstatSync(elsewhere), Deno.errors.NotFound);
  const { mode, isFile } = Deno.lstatSync(`${folder}/admin-password`);
  assert.deepEqual([isFile, mode! & 0o777], [true, 0o600]);
  const password = server.adminPassword();
  assert.ok(!server.stderr().includes(password) && !server.stdout().includes(password));
  const remote = `barge://admin@${server.address}`;
  const env = {
    BARGE_SERVER: remote,
    BARGE_PASSWORD: password,
    BARGE_NEW_PASSWORD: "another password",
  };

  // The new password of another account keeps the file; the admin's, at the server, removes it.
  await server.addUser("anna");
  const other = await home.barge(["user", "passwd", "anna", "--generate", ...data]);
  assert.equal(other.code, 0, other.stderr);
  assert.equal(server.adminPassword(), password);
  const changed = await home.barge(["passwd"], { env });
  assert.equal(changed.code, 0, changed.stderr);
  assert.throws(() => server.adminPassword(), Deno.errors.NotFound);

  // The operator's change of the admin's password removes it, too.
  Deno.writeTextFileSync(`${folder}/admin-password`, "stale");
  const reset = await home.barge(["user", "passwd", "admin", "--generate", ...data]);
  assert.equal(reset.code, 0, reset.stderr);
  assert.throws(() => server.adminPassword(), Deno.errors.NotFound);
});

/** Makes a database with the tables of an older barge. */
function old(folder: string, tables: number): void {
  using db = new DatabaseSync(`${folder}/accounts.db`) as DatabaseSync & Disposable;
  for (const migration of migrations.slice(0, tables)) db.exec(migration);
  db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${tables}`);
}

function version(folder: string): number {
  using db = new DatabaseSync(`${folder}/accounts.db`) as DatabaseSync & Disposable;
  return Number(db.prepare("PRAGMA user_version").get()!.user_version);
}
