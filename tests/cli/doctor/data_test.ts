/** `barge doctor` on data directories: a sound one, and one with each fault. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { statfsSync } from "node:fs";
import { Database } from "../../../core/local/database/database.ts";
import { startServer } from "../../_server.ts";
import { Home } from "../_barge.ts";
import { makeData } from "../_data.ts";
import { Runner } from "../_runner.ts";
import { examine } from "./_doctor.ts";

const isRoot = Deno.uid() === 0;
/** The user of that name, on Debian and most others. */
const nobody = 65_534;

/** Makes a data directory with one account. @returns its path, and the options that name it */
async function dataOf(home: Home) {
  const data = `${home.path}/data`;
  await makeData(data);
  return { data, options: ["--data", data] };
}

/** Returns the files below a folder with their modes, times and digests. */
function snapshot(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder)).flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    const { mode, uid, mtime } = Deno.lstatSync(path);
    const digest = isDirectory
      ? ""
      : createHash("sha256").update(Deno.readFileSync(path)).digest("hex");
    const line = [path, mode, uid, mtime?.getTime(), digest].join(" ");
    return [line, ...isDirectory ? snapshot(path) : []];
  }).sort();
}

Deno.test("doctor finds no fault in a sound data directory, and changes nothing", async () => {
  await using home = new Home();
  const { data, options } = await dataOf(home);
  const before = snapshot(data);
  const findings = await examine(home, options);
  assert.deepEqual(findings.faults, []);
  assert.equal(findings.one("data-mode").severity, "ok");
  assert.equal(findings.one("failed-logins").severity, "ok");
  assert.match(findings.one("server-process").message, /No running server/);
  assert.deepEqual(snapshot(data), before);
});

Deno.test("doctor prints its findings as text, with the steps below them, and then their number", async () => {
  await using home = new Home();
  const { data, options } = await dataOf(home);
  Deno.chmodSync(data, 0o755);
  const under = ["sh", "-c", 'exec "$0" "$@" 2>&1'];
  const { code, stdout } = await home.barge(["doctor", ...options], { under });
  assert.equal(code, 1);
  const fault =
    `bad   data-mode: The mode of the data directory, 0755, admits every user. (${data})\n` +
    `      -> Run chmod 700 ${data}.\n`;
  assert.ok(stdout.includes(fault), stdout);
  assert.match(stdout, /\n\d+ bad, \d+ warn, \d+ note, \d+ ok\n$/);
});

Deno.test("doctor finds faults of data directories", async (t) => {
  await using runner = new Runner();

  await t.step(
    "doctor reports secrets in the data directory that other users can read",
    async () => {
      await using home = new Home();
      const { data, options } = await dataOf(home);
      const database = `${data}/accounts.db`;
      Deno.chmodSync(database, 0o644);
      const closed = (await examine(runner.at(home), options)).of("data-mode");
      assert.deepEqual(closed.map(({ severity, path }) => [severity, path]), [
        ["warn", database],
        ["ok", data],
      ]);
      Deno.chmodSync(data, 0o755);
      const open = (await examine(runner.at(home), options)).of("data-mode");
      assert.deepEqual(open.map(({ severity, path }) => [severity, path]), [
        ["bad", data],
        ["bad", database],
      ]);
      Deno.chmodSync(database, 0o600);
      Deno.chmodSync(data, 0o750);
      assert.equal((await examine(runner.at(home), options)).one("data-mode").severity, "warn");
    },
  );

  await t.step({
    name: "doctor reports files that the owner of the data directory does not own",
    ignore: !isRoot,
    async fn() {
      await using home = new Home();
      const { data, options } = await dataOf(home);
      Deno.mkdirSync(`${data}/lost+found`); // a file system's own, if the directory is one
      Deno.chownSync(data, 12345, 12345);
      const { severity, message, advice } = (await examine(runner.at(home), options)).one(
        "data-owner",
      );
      assert.equal(severity, "bad");
      assert.match(message, /The data directory belongs to the user 12345, but not accounts\.db/);
      assert.doesNotMatch(message, /lost/);
      assert.match(advice ?? "", /chown -R 12345/);
      Deno.chownSync(data, nobody, nobody);
      const named = (await examine(runner.at(home), options)).one("data-owner").message;
      assert.match(named, /belongs to the user nobody, but not accounts\.db/);
    },
  });

  await t.step(
    "doctor without a data directory names --data, and goes on with the options",
    async () => {
      await using home = new Home();
      const findings = await examine(home, [
        "--data",
        `${home.path}/none`,
        "--durability",
        "relaxed",
      ]);
      assert.deepEqual(findings.faults, ["bad data-directory", "warn durability"]);
      assert.match(findings.one("data-directory").advice ?? "", /--data/);
      assert.equal(findings.of("data-mode").length, 0);
      const folder = await examine(home, ["--data", home.path]);
      assert.match(folder.one("data-directory").message, /has no database/);
    },
  );

  await t.step("doctor reports markers, the first password and leftover copies", async () => {
    await using home = new Home();
    const { data, options } = await dataOf(home);
    const write = (name: string, text = "") =>
      Deno.writeTextFileSync(`${data}/${name}`, text, { mode: 0o600 });
    write("migrated", "postgres://box/barge\n");
    write("admin-password", "secret\n");
    write("accounts.db.version-3");
    write(".copy.db.1234.part");
    const findings = (await examine(home, options)).of("leftovers");
    assert.deepEqual(findings.map(({ severity, path }) => [severity, path]), [
      ["bad", `${data}/migrated`],
      ["warn", `${data}/admin-password`],
      ["note", `${data}/.copy.db.1234.part`],
      ["note", `${data}/accounts.db.version-3`],
    ]);
    assert.match(findings[0].message, /migrated to postgres:\/\/box\/barge/);
  });

  await t.step("doctor reports a clock that is behind the files", async () => {
    await using home = new Home();
    const { data, options } = await dataOf(home);
    const later = new Date(Date.now() + 3_600_000);
    Deno.utimeSync(`${data}/accounts.db`, later, later);
    const { severity, message, path } = (await examine(home, options)).one("file-clock");
    assert.equal(severity, "bad");
    assert.match(message, /was changed 3[56]\d\d s after the time/);
    assert.equal(path, `${data}/accounts.db`);
  });

  await t.step("doctor goes on when a check fails, and reports its failure", async () => {
    await using home = new Home();
    const data = `${home.path}/data`;
    Deno.mkdirSync(data, { mode: 0o700 });
    Deno.writeTextFileSync(`${data}/accounts.db`, "no database", { mode: 0o600 });
    const findings = await examine(home, ["--data", data]);
    assert.deepEqual(findings.faults, ["warn failed-logins"]);
    const { message, advice } = findings.one("failed-logins");
    assert.equal(message, "This can't be checked: it is damaged, or no database.");
    assert.match(advice ?? "", /backup of accounts\.db/);
    assert.equal(findings.of("server-process").length, 1);
  });

  await t.step("doctor reports when all failed logins come from one address", async () => {
    await using home = new Home();
    const { data, options } = await dataOf(home);
    const fail = (account: string, address: string) => {
      using db = new Database(data);
      db.insert("failure", { account, address, known: 0, at: Date.now() });
    };
    for (const account of ["anna", "alice", "bob", "anna", "bob"]) fail(account, "192.0.2.1");
    const hidden = (await examine(home, options)).one("failed-logins");
    assert.equal(hidden.severity, "warn");
    assert.match(hidden.message, /All 5 failed logins .* 3 accounts, came from 192\.0\.2\.1/);
    fail("anna", "192.0.2.2");
    assert.equal((await examine(home, options)).one("failed-logins").severity, "ok");
  });
});

Deno.test("doctor reports a small file system in memory that is nearly full", {
  ignore: !isRoot,
}, async () => {
  await using home = new Home();
  const data = `${home.path}/memory`;
  Deno.mkdirSync(data);
  const mounted = await new Deno.Command("mount", {
    args: ["-t", "tmpfs", "-o", "mode=700,size=4m,nr_inodes=200", "tmpfs", data],
  }).output();
  assert.ok(mounted.success, new TextDecoder().decode(mounted.stderr));
  try {
    await makeData(data);
    const first = await examine(home, ["--data", data]);
    assert.equal(first.one("file-system").severity, "warn");
    assert.equal(first.one("inodes").severity, "ok");
    assert.match(first.one("file-system").message, /is on tmpfs, which is in memory/);
    assert.equal(first.one("durability").severity, "note");
    assert.match(first.one("durability").message, /power cut loses all files/);
    const { bsize, bavail } = statfsSync(data);
    Deno.writeFileSync(`${data}/public-bytes`, new Uint8Array((bavail - 4) * bsize));
    for (let i = 0; i < 300; i++) {
      try {
        Deno.symlinkSync("x", `${data}/${i}`);
      } catch {
        break; // no inode is free
      }
    }
    const full = await examine(home, ["--data", data]);
    assert.equal(full.one("disk-bytes").severity, "bad");
    assert.equal(full.one("inodes").severity, "bad");
  } finally {
    await new Deno.Command("umount", { args: [data] }).output();
  }
});

Deno.test("doctor sees the running server, its version, its log of the database, and a stop", async () => {
  await using server = await startServer({
    data: undefined,
    args: ["--workers", "1"],
    empty: true,
  });
  await using home = new Home();
  const options = ["--data", server.data, "--native", "127.0.0.1:0", "--http", "off"];
  const running = await examine(home, options);
  const [state] = running.of("server-process");
  assert.deepEqual([state.severity, state.message], [
    "ok",
    `The server (process ${server.process.pid}) runs.`,
  ]);
  assert.deepEqual(running.faults, ["warn leftovers"]); // the first admin's password
  assert.match(running.one("descriptors").message, /^The server may open \d+ descriptors/);
  assert.equal(running.one("failed-logins").severity, "ok");
  server.signal("SIGSTOP");
  try {
    const [stopped] = (await examine(home, options)).of("server-process");
    assert.equal(stopped.severity, "bad");
    assert.match(stopped.message, /is stopped, and answers nobody/);
  } finally {
    server.signal("SIGCONT");
  }
});

Deno.test("doctor changes nothing in the data directory of a killed server", async () => {
  const data = await Deno.makeTempDir({ prefix: "barge-doctor-" });
  try {
    await using home = new Home();
    await using server = await startServer({ data, empty: true });
    server.signal("SIGKILL");
    await server.ended;
    const before = snapshot(data);
    const findings = await examine(home, ["--data", data]);
    assert.equal(findings.one("failed-logins").severity, "ok");
    assert.deepEqual(snapshot(data), before);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});
