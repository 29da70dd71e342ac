/**
 * Two nodes whose engines are really stopped, killed, frozen, full, or refuse them: clients get a clear error
 * with the right code, nothing is lost or leaked, and all works again once the engine does.
 *
 * `BARGE_FREEZE_SECONDS` is the time for which engines are stopped with SIGSTOP. Default: 6.
 */
import assert from "node:assert/strict";
import postgres from "postgres";
import { type EngineVerb, OwnEngines } from "../_engines.ts";
import { descriptorCount, until } from "../_observe.ts";
import type { Server } from "../_server.ts";
import { hasEngines } from "../contract/store/_shared.ts";
import { type Bytes, pattern, Peer, sha256 } from "../core/door/_peer.ts";
import { Home, type Outcome } from "./_barge.ts";
import { Nodes } from "./_nodes.ts";

const freezeMs = 1000 * Number(Deno.env.get("BARGE_FREEZE_SECONDS") ?? 6);
const password = "anna-secret";
const large = pattern(900_000, 5);
const small = pattern(3_000, 6);
/** The first piece of an upload, which is recorded once it is in the bucket. */
const firstPieceBytes = 256 * 1024;
/** Room for the database and its log, and for a ballast that fills the rest. */
const postgresMiB = 160;

interface Case {
  readonly engines: OwnEngines;
  readonly nodes: Nodes;
  readonly servers: readonly Server[];
  readonly token: string;
  readonly home: Home;
}

interface Fault {
  readonly name: string;
  readonly begin: (c: Case) => Promise<void>;
  readonly end: (c: Case) => Promise<void>;
  /** The messages of failed uploads and downloads. All of them have code 5. */
  readonly message: RegExp;
  /** Whether uploads may succeed meanwhile, or always do. Default: they fail. */
  readonly puts?: "may succeed";
  /** Whether downloads succeed meanwhile. Default: they fail. */
  readonly gets?: "succeed" | "may succeed";
}

const does = (verb: EngineVerb, engine: "postgres" | "radosgw") => (c: Case) =>
  c.engines.do(verb, engine);
const noDatabase = /the database (does not answer|has no room)|the login did not|log in/;
const noStore = /the object store does not answer/;
const refused = /the storage refuses the server, whose log says why/;

const faults: readonly Fault[] = [
  {
    name: "PostgreSQL is stopped",
    begin: does("stop", "postgres"),
    end: does("start", "postgres"),
    message: noDatabase,
  },
  {
    name: "PostgreSQL is killed",
    begin: does("kill", "postgres"),
    end: does("start", "postgres"),
    message: noDatabase,
  },
  {
    name: "PostgreSQL is restarted at once",
    begin: does("restart", "postgres"),
    end: () => Promise.resolve(),
    message: noDatabase,
    puts: "may succeed",
    gets: "may succeed",
  },
  {
    name: "PostgreSQL hangs",
    begin: does("freeze", "postgres"),
    end: does("thaw", "postgres"),
    message: noDatabase,
  },
  {
    name: "PostgreSQL has no connection left",
    begin: takeConnections,
    end: giveConnections,
    message: noDatabase,
  },
  {
    name: "PostgreSQL has no room",
    begin: does("fill", "postgres"),
    end: does("free", "postgres"),
    message: noDatabase,
    puts: "may succeed",
    gets: "may succeed",
  },
  {
    name: "the password of the database is changed",
    begin: changePassword,
    end: restorePassword,
    message: refused,
  },
  {
    name: "radosgw is killed",
    begin: does("kill", "radosgw"),
    end: does("start", "radosgw"),
    message: noStore,
  },
  {
    name: "radosgw hangs",
    begin: does("freeze", "radosgw"),
    end: async (c) => {
      await c.engines.do("thaw", "radosgw");
    },
    message: noStore,
    puts: "may succeed",
    gets: "may succeed",
  },
  {
    name: "Ceph is full",
    begin: does("fill", "radosgw"),
    end: does("free", "radosgw"),
    message: /the object store does not answer|the server's disk is full/,
    gets: "succeed",
  },
  {
    name: "the bucket's quota is used up",
    begin: (c) => limitBucket(c, 1),
    end: (c) => limitBucket(c, -1),
    message: /the server's disk is full/,
    gets: "succeed",
  },
  {
    name: "the keys are changed",
    begin: (c) => setSecret(c, "another-secret"),
    end: (c) => setSecret(c, c.nodes.setup.bucket.secretKey),
    message: refused,
  },
];

Deno.test({
  name: "nodes whose engines stop, hang, are full or refuse them lose nothing, and soon work again",
  ignore: !hasEngines,
  async fn(t) {
    await using engines = await OwnEngines.start({ postgresMiB });
    await using nodes = await Nodes.make(engines.addresses);
    const token = await nodes.addUser("anna");
    const start = () => nodes.start({ args: ["--http", "127.0.0.1:0"] });
    const servers = [await start(), await start()];
    await using home = new Home();
    const c: Case = { engines, nodes, servers, token, home };
    Deno.writeFileSync(`${home.path}/small`, small);
    Deno.writeFileSync(`${home.path}/large`, large);
    for (const name of ["small", "large"]) await put(c, servers[0], name, `/home/${name}`);
    const descriptors = servers.map(({ pid }) => descriptorCount(pid));

    for (const fault of faults) await t.step(fault.name, () => survives(c, fault));
    await t.step("the bucket is removed", () => withoutBucket(c));

    await t.step("nothing is leaked", async () => {
      await until(async () => {
        const sql = "SELECT reserved, (SELECT count(*) FROM upload) AS uploads FROM account";
        const { reserved, uploads } = await nodes.row<{ reserved: number; uploads: number }>(sql);
        return reserved === 0 && uploads === 0;
      });
      // A pool may have grown to its limit.
      const maxPooled = 16;
      for (const [i, { pid }] of servers.entries()) {
        await until(() => descriptorCount(pid) <= descriptors[i] + maxPooled);
      }
      await nodes.setup.check();
      await nodes.setup.verify();
      await nodes.assertNoGarbage();
    });
  },
});

async function survives(c: Case, { name, begin, end, message, puts, gets }: Fault): Promise<void> {
  const [first, second] = c.servers;
  using peer = await Peer.open(first.address, c.token);
  await peer.ask({ verb: "put", path: "/home/under-way", size: large.length });
  await peer.send({ offset: 0, body: large.length }, large.subarray(0, firstPieceBytes + 1000));
  await until(async () => await staged(c.nodes) >= firstPieceBytes);

  const stored: string[] = [];
  const began = performance.now();
  await begin(c);
  try {
    const rest = peer.send(large.subarray(firstPieceBytes + 1000), { sha256: sha256(large) })
      .then(() => peer.answer()).then(({ ok }) => ok === true, () => false);
    const uploads = ["small", "large"].flatMap((name) =>
      c.servers.map(async (server, i) => {
        const path = `/home/${name}-${i}`;
        const outcome = await run(c, server, "put", name, path);
        if (outcome.code === 0) stored.push(path);
        else assert.match(outcome.stderr, message);
        assert.ok(outcome.code === 5 || puts && outcome.code === 0, outcome.stderr);
      })
    );
    const downloads = c.servers.map(async (server, i) => {
      const outcome = await run(c, server, "get", "/home/large", `got-${i}`);
      const expected = gets === "succeed" ? [0] : gets ? [0, 5] : [5];
      assert.ok(expected.includes(outcome.code), `${outcome.code} ${outcome.stderr}`);
      if (outcome.code === 0) assertSame(c, `got-${i}`, large);
      else assert.match(outcome.stderr, message);
    });
    await Promise.all([...uploads, ...downloads, rest]);
    const left = name.endsWith("hangs") ? freezeMs - (performance.now() - began) : 0;
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
  } finally {
    await end(c);
  }

  for (const server of c.servers) {
    await until(async () => (await run(c, server, "put", "small", "/home/again")).code === 0);
    await download(c, server, "/home/large", large);
    for (const path of stored) {
      await download(c, server, path, path.includes("small") ? small : large);
    }
  }
  await finish(c, second);
  const paths = [...stored, "/home/again", "/home/under-way"];
  assert.equal((await run(c, first, "rm", ...paths)).code, 0);
}

/** Finishes the upload that was under way, unless it has been acknowledged or its node has lost it. */
async function finish(c: Case, server: Server): Promise<void> {
  Deno.writeFileSync(`${c.home.path}/under-way`, large);
  await put(c, server, "under-way", "/home/under-way");
  await download(c, server, "/home/under-way", large);
}

async function withoutBucket(c: Case): Promise<void> {
  const [first, second] = c.servers;
  await c.engines.ceph("radosgw-admin", "bucket", "rm", "--bucket=barge-tests", "--purge-objects");
  for (const args of [["put", "small", "/home/x"], ["get", "/home/large", "got"]]) {
    const outcome = await run(c, first, ...args);
    assert.match(outcome.stderr, refused);
    assert.equal(outcome.code, 5);
  }
  await first.said("the bucket does not exist");
  await c.nodes.setup.first.bucket.make();
  await until(async () => (await run(c, second, "put", "small", "/home/x")).code === 0);
  await download(c, first, "/home/x", small);
  const lost = await run(c, first, "get", "/home/large", "got");
  assert.equal(lost.code, 1, lost.stderr);
  assert.throws(() => Deno.statSync(`${c.home.path}/got`), Deno.errors.NotFound);
  assert.equal((await run(c, second, "rm", "/home/large", "/home/small")).code, 0);
}

async function run({ home }: Case, { address }: Server, ...args: string[]): Promise<Outcome> {
  const words = [...args, "--server", `barge://anna@${address}`];
  return await home.barge(words, { env: { BARGE_PASSWORD: password } });
}

async function put(c: Case, server: Server, name: string, path: string): Promise<void> {
  const { code, stderr } = await run(c, server, "put", name, path);
  assert.equal(code, 0, stderr);
}

async function download(c: Case, server: Server, path: string, bytes: Bytes): Promise<void> {
  const { code, stderr } = await run(c, server, "get", path, "got");
  assert.equal(code, 0, `${path}: ${stderr}`);
  assertSame(c, "got", bytes);
}

function assertSame({ home }: Case, name: string, bytes: Bytes): void {
  assert.equal(sha256(Deno.readFileSync(`${home.path}/${name}`)), sha256(bytes));
  Deno.removeSync(`${home.path}/${name}`);
}

async function staged(nodes: Nodes): Promise<number> {
  const { bytes } = await nodes.row<{ bytes: number }>(
    `SELECT coalesce(sum(size), 0)::bigint AS bytes FROM piece
     WHERE content IN (SELECT content FROM upload)`,
  );
  return bytes;
}

const hogs: postgres.Sql[] = [];

/** Takes all connections of PostgreSQL, those of the nodes, too. */
async function takeConnections({ nodes, engines }: Case): Promise<void> {
  await nodes.setup.first.db.all("SELECT 1");
  const { host, port, user, password, database } = engines.addresses.postgres;
  const options = { host, port, user, password, database, max: 1, onclose: () => {} };
  for (;;) {
    const hog = postgres(options);
    try {
      await hog`SELECT 1`;
      hogs.push(hog);
    } catch (error) {
      await hog.end({ timeout: 0 });
      const [{ n }] = await hogs[0]`SELECT count(pg_terminate_backend(pid)) AS n
        FROM pg_stat_activity WHERE application_name = 'barge'`;
      assert.equal((error as { code?: string }).code, "53300");
      if (Number(n) === 0) return;
    }
  }
}

/** A connection that outlives a change of the password. */
let owner: postgres.Sql | undefined;

/** Changes the password of the database's user, and ends all connections of the nodes. */
async function changePassword({ engines }: Case): Promise<void> {
  const { host, port, user, password, database } = engines.addresses.postgres;
  owner = postgres({ host, port, user, password, database, max: 1 });
  await owner.unsafe(`ALTER ROLE ${user} PASSWORD 'another-password'`);
  await owner`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'barge'`;
}

async function restorePassword({ engines }: Case): Promise<void> {
  const { user, password } = engines.addresses.postgres;
  await owner!.unsafe(`ALTER ROLE ${user} PASSWORD '${password}'`);
  await owner!.end();
}

async function giveConnections(): Promise<void> {
  await Promise.all(hogs.splice(0).map((hog) => hog.end()));
}

/** @param bytes the most that the bucket may have; -1: no limit */
async function limitBucket({ engines }: Case, bytes: number): Promise<void> {
  const quota = ["--quota-scope=user", "--uid=barge"];
  await engines.ceph("radosgw-admin", "quota", "set", ...quota, `--max-size=${bytes}`);
  await engines.ceph("radosgw-admin", "quota", bytes < 0 ? "disable" : "enable", ...quota);
}

async function setSecret({ engines, nodes }: Case, secret: string): Promise<void> {
  const { accessKey } = nodes.setup.bucket;
  const keys = [`--access-key=${accessKey}`, `--secret-key=${secret}`];
  await engines.ceph("radosgw-admin", "key", "create", "--uid=barge", ...keys);
}
