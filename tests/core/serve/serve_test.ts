/** The server's life: what it refuses to start on, and how it ends. */
import { Accounts } from "../../../core/local/account/accounts.ts";
import { Database } from "../../../core/local/database/database.ts";
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { migrations } from "../../../core/local/database/schema.ts";
import { barge, type Server, startServer } from "../../_server.ts";
import { assertUp, eager, pattern, Peer, sha256, text } from "../door/_peer.ts";

const any = ["--native", "127.0.0.1:0"];

/** Runs `serve`, which is expected to end by itself. */
function serve(...args: string[]) {
  return barge(["serve", "--json", "--http", "off", ...args], {
    signal: AbortSignal.timeout(30_000),
  });
}

const noShm = !isFolder("/dev/shm");

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

Deno.test({
  name: "--unconfined serves a directory below /dev, with a warning in the log",
  ignore: noShm,
}, async () => {
  const data = Deno.makeTempDirSync({ dir: "/dev/shm", prefix: "barge-serve-" });
  try {
    await using server = await startServer({ data, args: ["--unconfined"] });
    await server.said("the workers are not confined");
    await assertUp(server.address);
  } finally {
    Deno.removeSync(data, { recursive: true });
  }
});

class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "barge-serve-" });
  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

Deno.test("a server that can't start reports why, with an exit code", async (t) => {
  await using server = await startServer();

  await t.step("a data directory that is in use", async () => {
    const { code, stdout, stderr } = await serve("--data", server.data, ...any);
    assert.equal(code, 7);
    assert.equal(stdout, "");
    assert.match(stderr, /^barge: lock .*: another `barge serve` uses this data directory\n\(/);
    await assertUp(server.address);
  });
  for (const workers of ["1", "3"]) {
    await t.step(`a port that is taken, ${workers} workers`, async () => {
      using folder = new Folder();
      const { code, stdout, stderr } = await serve(
        ...["--data", folder.path, "--native", server.address, "--workers", workers],
      );
      assert.equal(code, 7, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, /barge: listen on 127\.0\.0\.1:\d+: address (already )?in use/i);
      assert.match(stderr, /^\(--native is 127\.0\.0\.1:\d+: give another address/m);
      assert.throws(() => Deno.statSync(`${folder.path}/admin-password`), Deno.errors.NotFound);
      await assertUp(server.address);
    });
  }
  await t.step("a data directory where workers can't be confined", async () => {
    using folder = new Folder();
    Deno.symlinkSync("/dev/shm", `${folder.path}/link`);
    for (
      const data of ["/dev/shm/barge-none", `${folder.path}/link/barge-none/data`, "/proc/barge"]
    ) {
      const { code, stderr } = await serve("--data", data, ...any);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /^barge: use data directory \/.*: workers can't be confined below/);
      assert.match(stderr, /--unconfined/);
    }
    assert.throws(() => Deno.statSync("/dev/shm/barge-none"), Deno.errors.NotFound);
  });
  await t.step("a data directory that can't be made", async () => {
    using folder = new Folder();
    Deno.writeTextFileSync(`${folder.path}/file`, "");
    const cases: [data: string, refusal: RegExp][] = [
      [
        `${folder.path}/file`,
        /^barge: make data directory \/.*: it is a file, not a folder\n\(name a folder with --data/,
      ],
      [
        `${folder.path}/file/data`,
        /^barge: make data directory \/.*: .*\n\(name another with --data/,
      ],
      ["/proc/barge", /^barge: make data directory \/.*: .*\n\(name another with --data/],
    ];
    for (const [data, refusal] of cases) {
      const { code, stderr } = await serve("--data", data, "--unconfined", ...any);
      assert.equal(code, 7, stderr);
      assert.match(stderr, refusal);
    }
  });
  await t.step("a data directory that can't be written", async (t) => {
    using folder = new Folder();
    const mounted = await mount("-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", folder.path);
    if (!mounted) return skip(t, "can't mount here");
    try {
      await (await startServer({ data: folder.path }))[Symbol.asyncDispose]();
      assert.ok(await mount("-o", "remount,ro", folder.path));
      const { code, stderr } = await serve("--data", folder.path, ...any);
      assert.equal(code, 7, stderr);
      assert.match(stderr, /^barge: \w+.*read-only/i);
    } finally {
      await new Deno.Command("umount", { args: [folder.path] }).output();
    }
  });
});

Deno.test("a database that can't be used", async (t) => {
  using folder = new Folder();
  const data = folder.path;
  const path = `${data}/accounts.db`;
  await (await startServer({ data })).kill("SIGTERM");
  const good = Deno.readFileSync(path);
  const restore = () => {
    for (const end of ["-wal", "-shm"]) {
      try {
        Deno.removeSync(path + end);
      } catch { /* it was not there */ }
    }
    Deno.writeFileSync(path, good);
  };

  const damaged: Record<string, () => void> = {
    "is no database": () => Deno.writeFileSync(path, pattern(8192)),
    "is damaged behind its head": () => {
      const bytes = good.slice();
      bytes.fill(0xa5, 100);
      Deno.writeFileSync(path, bytes);
    },
    "was cut short": () => Deno.writeFileSync(path, good.subarray(0, 5000)),
  };
  for (const [name, damage] of Object.entries(damaged)) {
    await t.step(name, async () => {
      damage();
      const { code, stderr } = await serve("--data", data, ...any);
      assert.equal(code, 7, stderr);
      assert.match(stderr, /barge: .*accounts\.db: it is damaged, or no database\n\(/);
      restore();
    });
  }
  await t.step("was made by a newer version", async () => {
    using db = open(path);
    db.exec("PRAGMA user_version = 999");
    const { code, stderr } = await serve("--data", data, ...any);
    assert.equal(code, 7, stderr);
    assert.match(stderr, /made by a newer barge \(version 999/);
    db.exec(`PRAGMA user_version = ${migrations.length}`);
    restore();
  });
  await t.step("is another program's", async () => {
    Deno.removeSync(path);
    using db = open(path);
    db.exec("CREATE TABLE t (x)");
    const { code, stderr } = await serve("--data", data, ...any);
    assert.equal(code, 7, stderr);
    assert.match(stderr, /a database of another program/);
    restore();
  });
  await t.step("is locked", async () => {
    using db = open(path);
    db.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    const { code, stderr } = await serve("--data", data, ...any);
    assert.equal(code, 5, stderr);
    assert.match(stderr, /accounts\.db: it is locked by another program\n\(/);
  });
  await t.step("and stays as it was", async () => {
    await using server = await startServer({ data });
    await assertUp(server.address);
  });
});

Deno.test("SIGTERM lets requests end, closes idle connections, and gives exit code 0", async () => {
  using folder = new Folder();
  await using server = await startServer({ data: folder.path });
  await server.addUser("anna");
  const token = await server.issueToken("anna");
  const peers = await Promise.all(
    Array.from({ length: 4 }, () => Peer.open(server.address, token)),
  );
  const [busy, idle, half, other] = peers;
  const stranger = await Peer.connect(server.address);
  try {
    const bytes = pattern(500_000);
    await busy.ask({ verb: "put", path: "/home/f", size: bytes.length });
    await busy.send({ offset: 0, body: bytes.length }, bytes.subarray(0, 100_000));
    await other.ask({ verb: "put", path: "/home/g", size: null });
    await half.send(new Uint8Array([0, 0, 0]));
    server.process.kill("SIGTERM");
    await Promise.all([idle.gone(), stranger.gone(), half.gone()]);
    await untilRefused(server.address);

    // The next pipelined request is not begun.
    await busy.send(bytes.subarray(100_000), { sha256: sha256(bytes) }, { verb: "ping" });
    assert.equal((await busy.answer()).sha256, sha256(bytes));
    await busy.gone();
    other.stream.close();
    assert.equal(await server.ended, 0);
    assert.doesNotMatch(server.stderr(), /"level":"(ERROR|WARN)/);
  } finally {
    for (const peer of [...peers, stranger]) peer[Symbol.dispose]();
  }
  await using again = await startServer({ data: folder.path });
  using peer = await Peer.open(again.address, token);
  assert.equal((await peer.ask({ verb: "stat", path: "/home/f" })).upload, null);
});

/** Each worker stops listening by itself; the last one cuts the connections that it still accepts. */
async function untilRefused(address: string): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    try {
      using stranger = await Peer.connect(address);
      await stranger.gone();
    } catch (error) {
      if (/nothing listens/.test(String(error))) return;
    }
  }
  assert.fail("new connections are still taken");
}

Deno.test("all acknowledged small uploads survive SIGTERM", async () => {
  using folder = new Folder();
  const server = await startServer({ data: folder.path, args: ["--workers", "2"] });
  await server.addUser("anna");
  using peer = await Peer.open(server.address, "anna");
  const sent: string[] = [];
  const sending = (async () => {
    for (let i = 0; i < 20_000; i++) await peer.send(eager(`/home/${i}`, text(`file ${i}`)));
  })().catch(() => {/* the server went */});
  try {
    while (true) {
      const { ok, sha256: digest } = await peer.answer();
      assert.ok(ok);
      sent.push(digest as string);
      if (sent.length === 100) server.process.kill("SIGTERM");
    }
  } catch { /* the end of the answers */ }
  await sending;
  assert.equal(await server.ended, 0);
  assert.ok(sent.length >= 100);
  for (const [i, digest] of sent.entries()) {
    const bytes = Deno.readFileSync(`${folder.path}/homes/anna/${i}`);
    assert.equal(sha256(bytes), digest);
  }
  const { code, stdout, stderr } = await barge(["quota", "verify", "--data", folder.path]);
  assert.equal(code, 0, stdout + stderr);
});

Deno.test("a disabled or removed account is refused at its next request", async () => {
  await using server = await startServer({ args: ["--workers", "2"] });
  for (const name of ["anna", "bob"]) await server.addUser(name);
  using anna = await Peer.open(server.address, "anna");
  using bob = await Peer.open(server.address, "bob");
  using uploading = await Peer.open(server.address, "anna");
  const bytes = pattern(1000);
  await uploading.ask({ verb: "put", path: "/home/f", size: 1000 });
  {
    // In one step, as no program could: the server cuts the connections within two seconds.
    using db = new Database(server.data);
    const accounts = new Accounts(db);
    accounts.change("anna", { disabled: true });
    accounts.remove("bob");
  }
  for (const peer of [anna, bob]) {
    for (const verb of ["list", "stat", "get", "mkdir", "remove", "digest"]) {
      assert.equal(await peer.fail({ verb, path: "/home/a" }), "unauthenticated", verb);
    }
    assert.equal(await peer.fail({ verb: "quota" }), "unauthenticated");
    assert.equal(await peer.fail({ verb: "put", path: "/home/a", size: 1 }), "unauthenticated");
    assert.equal(await peer.fail(eager("/home/a", text("x"))), "unauthenticated");
    assert.equal(
      await peer.fail({ verb: "token", action: "issue", label: "x" }),
      "unauthenticated",
    );
  }
  // An upload under way does not become a file.
  const end = [{ offset: 0, body: 1000 }, bytes, { sha256: sha256(bytes) }];
  assert.equal(await uploading.fail(...end), "unauthenticated");
  for (const peer of [anna, bob, uploading]) await peer.gone();

  // The three answers are equal to the byte.
  using stranger = await Peer.open(server.address);
  await server.addUser("carl");
  const told = [
    await stranger.prove("carl", "wrong"),
    await stranger.prove("nobody", "wrong"),
    await stranger.prove("anna", "anna-secret"),
    await stranger.prove("anna", "wrong"),
    await stranger.prove("bob", "bob-secret"),
  ].map((answer) => JSON.stringify(answer));
  assert.deepEqual(new Set(told).size, 1, told.join("\n"));
  assert.match(told[0], /"unauthenticated"/);
  await enable(server);
  using again = await Peer.open(server.address, "anna");
  await again.ask({ verb: "quota" });
});

async function enable(server: Server): Promise<void> {
  await barge(["user", "enable", "anna", "--data", server.data]);
}

function open(path: string): DatabaseSync & Disposable {
  return new DatabaseSync(path) as DatabaseSync & Disposable;
}

async function mount(...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command("mount", { args }).output()).success;
  } catch {
    return false;
  }
}

function skip(t: Deno.TestContext, why: string): void {
  new Deno.Command("printf", { args: ["skipped: %s: %s\n", t.name, why] }).outputSync();
}
