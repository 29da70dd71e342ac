/** The scripts and units of docs/cron.md, run as they are written. */
import assert from "node:assert/strict";
import { blocks, files, pageAddress } from "../_cron_page.ts";
import { bargeCommand, caches } from "../_program.ts";
import type { Home } from "./_barge.ts";
import { loggedIn, secret } from "./_logged_in.ts";

/** Writes the scripts for an account into a home, with a program `barge` in its own folder. */
async function install(home: Home, address: string): Promise<void> {
  await Deno.mkdir(`${home.path}/bin`);
  await Deno.mkdir(`${home.path}/program`);
  for (const [name, text] of files(address)) {
    if (!name.startsWith("bin/")) continue;
    await Deno.writeTextFile(`${home.path}/${name}`, text, { mode: 0o700 });
  }
  const words = bargeCommand([]).map((word) => `'${word}'`).join(" ");
  await Deno.writeTextFile(`${home.path}/program/barge`, `#!/bin/sh\nexec ${words} "$@"\n`, {
    mode: 0o700,
  });
}

/** Runs a line as cron does: by sh, with few variables. The signal ends it by SIGTERM. */
async function cron(home: Home, line: string, signal?: AbortSignal) {
  const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", line],
    cwd: home.path,
    clearEnv: true,
    env: {
      HOME: home.path,
      PATH: `${home.path}/program:/usr/bin:/bin`,
      SHELL: "/bin/sh",
      ...caches,
    },
    stdin: "null",
    signal,
  }).output();
  return { code, output: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

const lacksTool = await Promise.all(
  [["sqlite3", "--version"], ["gzip", "--version"]].map(([name, ...args]) =>
    new Deno.Command(name, { args }).output().then(() => false, () => true)
  ),
).then((missing) => missing.includes(true));

Deno.test(
  { name: "the scripts of docs/cron.md back up and rotate", ignore: lacksTool },
  async () => {
    await using all = await loggedIn();
    const { home, server, remote } = all;
    await install(home, remote);
    const ofAccount = (line: string) => cron(home, `export BARGE_SERVER=${remote}; ${line}`);
    assert.equal((await cron(home, "barge mkdir -p /home/backups/db /home/backups/www")).code, 0);
    await server.addUser("www", { quota: "none", password: secret.BARGE_PASSWORD });
    const login = await home.barge(["login", remote.replace("anna", "www")], { env: secret });
    assert.equal(login.code, 0, login.stderr);
    await Deno.mkdir(`${home.path}/app`);
    await Deno.mkdir(`${home.path}/www`);
    const made = await cron(
      home,
      `sqlite3 app/app.db 'create table customers (a); insert into customers values (randomblob(20000))'`,
    );
    assert.equal(made.code, 0, made.output);
    for (let i = 0; i < 20; i++) await Deno.writeTextFile(`${home.path}/www/${i}`, `page ${i}`);
    const table = blocks.find((block) => block.includes("MAILTO="))!;
    const jobs = [...table.matchAll(/^\d+ \d+ \* \* \S+ +(.+)$/gm)].map(([, command]) => command);
    assert.equal(jobs.length, 3);
    const [database, folder, rotate] = jobs;

    const early = await cron(home, rotate);
    assert.deepEqual([early.code, early.output.includes("nothing is removed")], [1, true]);
    assert.equal(await Deno.readTextFile(`${home.path}/backup-failures`), early.output);
    await Deno.remove(`${home.path}/backup-failures`);
    const dumped = await cron(home, database);
    assert.deepEqual([dumped.code, dumped.output], [0, ""]);
    const sent = await cron(home, folder);
    assert.deepEqual([sent.code, /^20 files, /.test(sent.output)], [0, true], sent.output);
    assert.deepEqual(await cron(home, folder), { code: 0, output: "" });
    const restore = [...blocks.find((block) => block.includes("integrity_check"))!
      .matchAll(/^\$ (.+)$/gm)].map(([, command]) => command.replace(pageAddress, remote));
    const restored = await cron(
      home,
      [...restore, "ls restored-www | wc -l"].join(" && "),
    );
    assert.match(restored.output, /^ok\n1\n[^]*^20$/m);

    const old = `${home.path}/old.db.gz`;
    await Deno.writeTextFile(old, "old");
    await Deno.utime(old, 0, 0);
    assert.equal((await ofAccount("barge put old.db.gz /home/backups/db/")).code, 0);
    const rotated = await cron(home, rotate);
    assert.deepEqual(rotated, { code: 0, output: "" });
    const left = await ofAccount("barge find /home/backups/db");
    assert.match(left.output, /^\/home\/backups\/db\/app-[\d-]+\.db\.gz\n$/);

    // Options of a call override the variables of the script.
    const faster = await cron(home, `${folder} --limit-rate none --dry-run`);
    assert.deepEqual([faster.code, faster.output], [0, ""]);

    // The disk with the folder is not mounted.
    for (let i = 0; i < 10; i++) await Deno.remove(`${home.path}/www/${i}`);
    assert.equal((await cron(home, folder)).code, 6);
    const notice = JSON.parse(await Deno.readTextFile(`${home.path}/backup-failures`));
    for (const file of ["backup-failures", "backup.log"]) {
      assert.equal((await Deno.stat(`${home.path}/${file}`)).mode! & 0o777, 0o600, file);
    }
    assert.deepEqual([notice.verb, notice.code], ["put", 6]);
    assert.equal((await ofAccount("barge find /home/backups/www | wc -l")).output.trim(), "20");
    const looked = await cron(home, `${folder} --max-delete 10 --dry-run`);
    assert.deepEqual([looked.code, looked.output.match(/^remove /gm)?.length], [0, 10]);
    await Deno.rename(`${home.path}/www`, `${home.path}/elsewhere`);
    assert.equal((await cron(home, folder)).code, 4);
    await Deno.mkdir(`${home.path}/www`);
    assert.equal((await cron(home, folder)).code, 6);
    assert.equal((await ofAccount("barge find /home/backups/www | wc -l")).output.trim(), "20");
    await server.kill("SIGTERM");
    const log = await Deno.readTextFile(`${home.path}/backup.log`);
    assert.match(log, /find: ended with exit code 0[^]*rm: ended with exit code 0/);
    assert.equal(log.match(/ended with exit code 0/g)?.length, 9);
    // The rotation without its server.
    assert.equal((await cron(home, rotate)).code, 5);
    const unreachable = await Deno.readTextFile(`${home.path}/backup-failures`);
    assert.deepEqual(JSON.parse(unreachable.trimEnd().split("\n").at(-1)!).verb, "find");

    // SIGTERM ends the dump while its upload waits for the server.
    await Deno.mkdir(`${home.path}/tmp`);
    const cancel = new AbortController();
    using watcher = Deno.watchFs(`${home.path}/backup.log`);
    const ended = cron(
      home,
      `export TMPDIR=$HOME/tmp; exec timeout 600 ${database}`,
      cancel.signal,
    );
    for await (const _ of watcher) {
      if ((await Deno.readTextFile(`${home.path}/backup.log`)).includes("trying again")) break;
    }
    assert.equal([...Deno.readDirSync(`${home.path}/tmp`)].length, 1);
    cancel.abort();
    await ended;
    assert.deepEqual([...Deno.readDirSync(`${home.path}/tmp`)], []);
  },
);

Deno.test(
  { name: "the scripts of docs/cron.md store no dump without rows", ignore: lacksTool },
  async () => {
    await using all = await loggedIn();
    const { home, remote } = all;
    await install(home, remote);
    await Deno.mkdir(`${home.path}/app`);
    assert.equal((await cron(home, "barge mkdir -p /home/backups/db")).code, 0);
    const database = `${home.path}/app/app.db`;
    const failures = `${home.path}/backup-failures`;
    const sources = [
      ["no file", "", /no dump: .*unable to open database/],
      ["an empty file", "touch app/app.db", /wrong dump: .*no such table/],
      ["no database", "echo text >app/app.db", /no dump: .*not a database/],
      ["no rows", "sqlite3 app/app.db 'create table customers (a)'", /no customers/],
    ] as const;
    for (const [name, make, reason] of sources) {
      await Deno.remove(database).catch(() => {});
      assert.equal((await cron(home, make)).code, 0);
      const dumped = await cron(home, "$HOME/bin/backup-database");
      assert.deepEqual([dumped.code, reason.test(dumped.output)], [1, true], dumped.output);
      assert.equal(await Deno.readTextFile(failures), dumped.output, name);
      await Deno.remove(failures);
    }
    assert.equal((await cron(home, "barge find /home/backups/db")).output, "");

    // Empty dumps, as of a script without these checks, make the rotation remove nothing.
    await Deno.writeTextFile(`${home.path}/good`, "x".repeat(20_000));
    await Deno.utime(`${home.path}/good`, 0, 0);
    const empty = "echo | gzip >empty && barge put empty /home/backups/db/app-2.db.gz";
    const stored = await cron(home, `barge put good /home/backups/db/app-1.db.gz && ${empty}`);
    assert.equal(stored.code, 0, stored.output);
    assert.equal((await cron(home, "$HOME/bin/rotate-backups")).code, 1);
    assert.equal((await cron(home, "barge find /home/backups/db | wc -l")).output.trim(), "2");

    // The database in WAL mode, while another process has it open.
    await Deno.remove(database);
    const made = await cron(
      home,
      "sqlite3 app/app.db 'pragma journal_mode=wal; create table customers (a)' && " +
        `sqlite3 app/app.db 'insert into customers values (1)' '.shell $HOME/bin/backup-database'`,
    );
    assert.deepEqual([made.code, made.output], [0, "wal\n"]);
    assert.equal((await cron(home, "barge find /home/backups/db | wc -l")).output.trim(), "3");
  },
);

const lacksSystemd = await new Deno.Command("systemd-analyze", { args: ["--version"] }).output()
  .then(({ success }) => !success, () => true);

Deno.test({ name: "systemd accepts the units of docs/cron.md", ignore: lacksSystemd }, async () => {
  const folder = await Deno.makeTempDir({ prefix: "barge-units-" });
  try {
    await Deno.mkdir(`${folder}/bin`);
    await Deno.writeTextFile(`${folder}/bin/backup-folder`, "#!/bin/sh\n", { mode: 0o700 });
    const units = [...files()].filter(([name]) => name.includes("systemd"));
    assert.equal(units.length, 2);
    const paths = units.map(([name]) => `${folder}/${name.slice(name.lastIndexOf("/") + 1)}`);
    for (const [i, [, text]] of units.entries()) {
      await Deno.writeTextFile(paths[i], text.replace("%h", folder));
    }
    const { code, stderr } = await new Deno.Command("systemd-analyze", {
      args: ["verify", "--man=no", "--recursive-errors=no", ...paths],
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
