/** A node whose engines refuse, hang, cut connections or fail: clear errors, nothing lost, soon back. */
import assert from "node:assert/strict";
import { makeSelfSigned } from "../../core/net/self_signed.ts";
import { until } from "../_observe.ts";
import { barge, type Server } from "../_server.ts";
import { hasEngines, SharedSetup } from "../contract/store/_shared.ts";
import { type Bytes, pattern, Peer, sha256 } from "../core/door/_peer.ts";
import type { Proxy } from "../core/shared/_proxy.ts";
import { Home } from "./_barge.ts";
import { Nodes } from "./_nodes.ts";

const secret = { BARGE_PASSWORD: "anna-secret" };
/** The first piece of an upload, which is recorded once it is in the bucket. */
const firstPieceBytes = 256 * 1024;

interface Fault {
  readonly name: string;
  readonly engine: "postgres" | "s3";
  readonly begin: (proxy: Proxy) => void;
  readonly end: (proxy: Proxy) => void;
  /** The message of put and get meanwhile. Both end with 5. */
  readonly message: RegExp;
}

/** The faults that both engines may have. */
const connectionFaults: readonly Pick<Fault, "name" | "begin" | "end">[] = [
  { name: "refuses", begin: (proxy) => proxy.refuse(), end: (proxy) => proxy.listen() },
  {
    name: "hangs",
    begin: (proxy) => proxy.hang(),
    end(proxy) {
      proxy.resume();
      proxy.cut();
    },
  },
  {
    name: "is cut off before each answer",
    begin: (proxy) => proxy.rules = { onSent: () => "cut" },
    end: (proxy) => proxy.rules = {},
  },
];
const status = (status: number, message: RegExp): Fault => ({
  name: `answers ${status}`,
  engine: "s3",
  begin: (proxy) => proxy.rules = { status },
  end: (proxy) => proxy.rules = {},
  message,
});
const faults: readonly Fault[] = [
  ...connectionFaults.flatMap((fault): Fault[] => [
    { ...fault, engine: "postgres", message: /the database does not answer/ },
    { ...fault, engine: "s3", message: /the object store does not answer/ },
  ]),
  status(500, /the object store answers 500/),
  status(503, /the object store answers 503/),
  // Only the operator can help: the log has the reason.
  status(403, /the storage refuses the server, whose log says why/),
];

for (const engine of ["postgres", "s3"] as const) {
  Deno.test({
    name: `a node whose ${engine} fails loses nothing, and works again once it is back`,
    ignore: !hasEngines,
    async fn(t) {
      await using nodes = await Nodes.make();
      const token = await nodes.addUser("anna");
      const node = await nodes.start({ proxied: true, args: ["--http", "127.0.0.1:0"] });
      await using home = new Home();
      for (const fault of faults.filter((fault) => fault.engine === engine)) {
        await t.step(fault.name, () => survives(nodes, node, home, token, fault));
      }
      // It still answers nodes that resume its uploads.
      await until(async () => await listeners(nodes) === 1);
      if (engine === "s3") assert.match(node.stderr(), /the object store refuses the request/);
      await nodes.setup.check();
      await nodes.setup.verify();
      await nodes.assertNoGarbage();
    },
  });
}

async function survives(
  nodes: Nodes,
  node: Server,
  home: Home,
  token: string,
  { engine, begin, end, message }: Fault,
): Promise<void> {
  const run = (...args: string[]) =>
    home.barge([...args, "--server", `barge://anna@${node.address}`], { env: secret });
  const large = pattern(600_000, Math.random() * 1e9);
  Deno.writeFileSync(`${home.path}/before`, large);
  Deno.writeFileSync(`${home.path}/during`, large.subarray(0, 300_000));
  assert.equal((await run("put", "before", "/home/before")).code, 0);
  using peer = await Peer.open(node.address, token);
  await peer.ask({ verb: "put", path: "/home/under-way", size: large.length });
  const sent = firstPieceBytes + 1000;
  await peer.send({ offset: 0, body: large.length }, large.subarray(0, sent));
  await until(async () => await staged(nodes) >= sent);

  const proxy = nodes[engine];
  begin(proxy);
  try {
    const cut = peer.send(large.subarray(sent), { sha256: sha256(large) }).catch(() => {});
    const failed = peer.answer().then((answer) => assert.equal(answer.ok, false), () => {});
    const [status, ...outcomes] = await Promise.all([
      statusOf(node, token, "/home/before"),
      run("put", "during", "/home/during"),
      run("get", "/home/before", "got"),
    ]);
    assert.equal(status, 503);
    for (const { code, stderr } of outcomes) {
      assert.match(stderr, message);
      assert.equal(code, 5, stderr);
    }
    await Promise.all([cut, failed]);
  } finally {
    end(proxy);
  }

  await until(async () => (await run("put", "during", "/home/during")).code === 0);
  assert.equal((await run("get", "/home/before", "got")).code, 0);
  assert.deepEqual(Deno.readFileSync(`${home.path}/got`), large);
  Deno.removeSync(`${home.path}/got`);
  await finish(node, token, large);
}

/** Returns the number of database connections that wait for notifications. */
async function listeners(nodes: Nodes): Promise<number> {
  const { n } = await nodes.row<{ n: number }>(
    `SELECT count(*) AS n FROM pg_stat_activity
     WHERE datname = current_database() AND query LIKE 'listen %'`,
  );
  return n;
}

/** Returns the status of a download by HTTP. */
async function statusOf({ facts }: Server, token: string, path: string): Promise<number> {
  const response = await fetch(`http://${facts.http}/api/v1/files${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  await response.body?.cancel();
  return response.status;
}

/** Resumes the upload that was under way, from its first piece at least. */
async function finish(node: Server, token: string, bytes: Bytes): Promise<void> {
  using peer = await Peer.open(node.address, token);
  const go = await peer.ask({ verb: "put", path: "/home/under-way", size: bytes.length });
  const offset = Number(go.offset);
  assert.ok(offset >= firstPieceBytes, `only ${offset} bytes were kept`);
  assert.equal(go.prefix, sha256(bytes.subarray(0, offset)));
  const trailer = { sha256: sha256(bytes) };
  await peer.ask({ offset, body: bytes.length - offset }, bytes.subarray(offset), trailer);
}

async function staged(nodes: Nodes): Promise<number> {
  const { bytes } = await nodes.row<{ bytes: number }>(
    `SELECT coalesce(sum(size), 0)::bigint AS bytes FROM piece
     WHERE content IN (SELECT content FROM upload)`,
  );
  return bytes;
}

Deno.test({
  name: "serve ends with a clear message where its engines can't be used",
  ignore: !hasEngines,
  async fn(t) {
    await using setup = await SharedSetup.make();
    await using home = new Home();
    await using untrusted = await untrustedStore();
    await setup.first.secrets.get("decoy");
    const options = await setup.serveOptions();
    const file = (name: string, text: string) => {
      Deno.writeTextFileSync(`${home.path}/${name}`, text, { mode: 0o600 });
      return `${home.path}/${name}`;
    };
    const otherKey = file("key", new Uint8Array(32).fill(7).toBase64());
    const url = (option: string) => new URL(options[options.indexOf(option) + 1]);
    const at = (option: string, change: (url: URL) => void) => {
      const changed = url(option);
      change(changed);
      return [option, changed.href];
    };
    const cases: readonly (readonly [string, readonly string[], number, RegExp])[] = [
      [
        "a wrong password",
        ["--store-password-file", file("password", "wrong-password")],
        7,
        /the database refuses the user or the password/,
      ],
      [
        "a database that does not exist",
        at("--store", (url) => url.pathname = "/nosuchdatabase"),
        7,
        /there is no such database/,
      ],
      [
        "no database at the address",
        at("--store", (url) => url.port = "1"),
        5,
        /the database does not answer/,
      ],
      [
        "wrong keys",
        ["--bucket-keys-file", file("keys", "nobody\nwrong-secret\n")],
        7,
        /the object store refuses the request.*check the keys/s,
      ],
      [
        "a missing bucket",
        at("--bucket", (url) => url.pathname = "/barge-no-such-bucket"),
        7,
        /the bucket does not exist/,
      ],
      [
        "no object store at the address",
        at("--bucket", (url) => url.port = "1"),
        5,
        /the object store does not answer/,
      ],
      [
        "a certificate of the object store that is not trusted",
        ["--bucket", `s3+https://127.0.0.1:${untrusted.addr.port}/bucket`],
        7,
        /the certificate of the object store is not accepted: .*--store-ca/s,
      ],
      ["another cluster key", ["--cluster-key", otherKey], 7, /sealed with another key/],
    ];
    for (const [name, changed, code, message] of cases) {
      await t.step(name, async () => {
        // Each option is followed by its value.
        const rest = options.filter((_, i) => options[i - i % 2] !== changed[0]);
        const args = ["serve", "--native", "127.0.0.1:0", "--http", "off", ...rest, ...changed];
        const outcome = await barge(args);
        assert.match(outcome.stderr, message);
        assert.equal(outcome.code, code, outcome.stderr);
        assert.doesNotMatch(outcome.stderr, /wrong-password|wrong-secret/);
      });
    }
  },
});

/** Starts a server with a certificate that it signed itself. */
async function untrustedStore(): Promise<Deno.HttpServer<Deno.NetAddr>> {
  const { cert, key } = await makeSelfSigned(["127.0.0.1"]);
  const address = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  return Deno.serve({ ...address, cert, key }, () => new Response());
}
