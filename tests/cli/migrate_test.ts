/** `barge migrate` beside a server, on real engines. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { hasEngines, SharedSetup } from "../contract/store/_shared.ts";
import { eager, Peer, text } from "../core/door/_peer.ts";
import { type Server, startServer } from "../_server.ts";
import { Home, lines } from "./_barge.ts";
import { Receiver } from "./_receiver.ts";

const ignore = !hasEngines;
/** Doors with a certificate and host keys. */
const doors = ["--ftps", "127.0.0.1:0", "--sftp", "127.0.0.1:0"];

/** The options and variables that name the storage. */
function storageOf({ postgres, bucket }: SharedSetup) {
  const { user, host, port, database, password } = postgres;
  return {
    store: `postgres://${user}@${host}:${port}/${database}`,
    bucket: `s3+${bucket.url}/${bucket.prefix}`,
    env: {
      BARGE_STORE_PASSWORD: password,
      BARGE_BUCKET_ACCESS_KEY: bucket.accessKey,
      BARGE_BUCKET_SECRET_KEY: bucket.secretKey,
      BARGE_CLUSTER_KEY: Buffer.alloc(32, 5).toString("base64"),
    },
  };
}

async function put({ address }: Server, name: string, content: Uint8Array): Promise<void> {
  using peer = await Peer.open(address, "anna");
  await peer.ask(eager(`/home/${name}`, content));
}

Deno.test({
  name: "a server's directory is migrated while it serves, and copied back, with events that wait",
  ignore,
  async fn() {
    await using engines = await SharedSetup.make();
    await using home = new Home();
    await using receiver = new Receiver();
    receiver.answer = () => new Response(null, { status: 500 });
    const delivering = { args: [...doors, "--workers", "1", ...receiver.args], env: receiver.env };
    const { store, bucket, env } = storageOf(engines);
    const data = `${home.path}/data`;
    Deno.mkdirSync(data);
    const to = ["migrate", "--data", data, "--to", store, "--bucket", bucket];
    {
      await using server = await startServer({ data, ...delivering });
      await server.addUser("anna");
      await put(server, "a", text("first"));
      const pass = await home.barge([...to, "--json"], { env });
      assert.equal(pass.code, 0, pass.stderr);
      assert.deepEqual(lines(pass), [{
        type: "summary",
        files: 1,
        bytes: 5,
        kept: 0,
        removed: 0,
        accounts: 2,
        uploads: 0,
        problems: 0,
        ended: false,
      }]);
      const node = ["serve", "--store", store, "--bucket", bucket, "--native", "127.0.0.1:0"];
      const soon = await home.barge(node, { env });
      assert.equal(soon.code, 7);
      assert.match(soon.stderr, /a migration to this storage has begun, and has not ended/);
      const early = await home.barge([...to, "--final"], { env });
      assert.equal(early.code, 7);
      assert.match(early.stderr, /another `barge serve` uses this data directory/);
      await put(server, "b", text("second"));
      assert.equal(await server.kill("SIGTERM"), 0);
    }
    const last = await home.barge([...to, "--final", "--json"], { env });
    assert.equal(last.code, 0, last.stderr);
    const [{ files, kept, ended }] = lines(last);
    assert.deepEqual({ files, kept, ended }, { files: 1, kept: 1, ended: true });

    const refused = await home.barge(["serve", "--data", data, "--native", "127.0.0.1:0"]);
    assert.equal(refused.code, 7);
    assert.match(refused.stderr, /it was migrated to postgres:.*\/t[0-9a-f]+ and http:/);
    const again = await home.barge(to, { env });
    assert.equal(again.code, 14);

    const checked = await home.barge(["verify", "--json", "--store", store, "--bucket", bucket], {
      env,
    });
    assert.equal(checked.code, 0, checked.stdout + checked.stderr);

    const copy = `${home.path}/copy`;
    const from = ["migrate", "--from", store, "--bucket", bucket, "--data", copy];
    const copied = await home.barge(from, { env });
    assert.equal(copied.code, 0, copied.stderr);
    assert.match(copied.stderr, /2 accounts; 2 files copied \(11 B\), 0 there already\n/);
    assert.match(copied.stderr, /the copy is whole/);
    assert.equal((await home.barge([...from], { env })).code, 14);
    const verified = await home.barge(["verify", "--json", "--data", copy]);
    assert.deepEqual(lines(verified).map(({ files, problems }) => [files, problems]), [[2, 0]]);
    const marks = async (data: string) => {
      const [{ fingerprint, hostKeys }] = lines(
        await home.barge(["cert", "--json", "--data", data]),
      );
      return [fingerprint, ...hostKeys.map((key: { fingerprint: string }) => key.fingerprint)];
    };
    assert.deepEqual(await marks(copy), await marks(data));
    receiver.answer = () => new Response();
    await using server = await startServer({ data: copy, ...delivering });
    using peer = await Peer.open(server.address, "anna");
    const { entries } = await peer.ask({ verb: "list", path: "/home" });
    assert.deepEqual((entries as { name: string }[]).map(({ name }) => name), ["a", "b"]);
    for (const path of ["/home/a", "/home/b"]) {
      const { id } = await receiver.took((event) => event.path === path);
      const ids = receiver.attempts.filter((event) => event.path === path).map(({ id }) => id);
      assert.deepEqual(new Set(ids), new Set([id]));
    }
    await server.kill("SIGTERM");
  },
});

Deno.test({
  name: "a damaged file ends the program with 13, and the migration does not end",
  ignore,
  async fn() {
    await using engines = await SharedSetup.make();
    await using home = new Home();
    const { store, bucket, env } = storageOf(engines);
    const data = `${home.path}/data`;
    Deno.mkdirSync(data);
    {
      await using server = await startServer({ data, args: ["--workers", "1"] });
      await server.addUser("anna");
      await put(server, "a", text("first"));
      await server.kill("SIGTERM");
    }
    const path = `${data}/homes/anna/a`;
    const { mtime } = Deno.statSync(path);
    Deno.writeTextFileSync(path, "f1rst");
    Deno.utimeSync(path, mtime!, mtime!);
    const args = ["migrate", "--data", data, "--to", store, "--bucket", bucket, "--final"];
    const { code, stdout } = await home.barge(args, { env });
    assert.equal(code, 13);
    assert.match(stdout, /^homes\/anna\/a: is damaged/);
    assert.throws(() => Deno.statSync(`${data}/migrated`), Deno.errors.NotFound);
  },
});

Deno.test("migrate needs one database, and its secrets", async () => {
  await using home = new Home();
  const bucket = ["--bucket", "s3+https://box/bytes"];
  const to = ["--to", "postgres://barge@db/files"];
  const refusal = async (...args: string[]) => {
    const { code, stderr } = await home.barge(["migrate", "--data", home.path, ...args]);
    assert.equal(code, 2, stderr);
    return stderr;
  };
  assert.match(await refusal(...bucket), /name one database/);
  assert.match(await refusal(...to, "--from", "postgres://barge@db/files"), /name one database/);
  assert.match(await refusal(...to), /name the bucket/);
  assert.match(await refusal(...to, ...bucket), /the keys of the bucket are missing/);
  assert.match(
    await refusal("--from", "postgres://barge@db/files", "--final", ...bucket),
    /--final belongs to --to/,
  );
});
