/** kill -9 at the worst moments: a file is the old one or the new one, and the books agree. */
import assert from "node:assert/strict";
import { type Server, startServer } from "../_server.ts";
import { type Bytes, eager, pattern, Peer, sha256 } from "../core/door/_peer.ts";
import { Home } from "./_barge.ts";
import { saveLogin } from "./_logged_in.ts";
import { verify } from "./_verify.ts";

/** Runs `barge put` as anna; its objects in `--json`. */
async function put(home: Home, server: Server, ...args: string[]) {
  await saveLogin(home, server, "anna");
  const { code, stdout, stderr } = await home.barge(
    ["put", "--json", "--server", `barge://anna@${server.address}`, ...args],
  );
  const results = stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  return { code, stderr, results };
}

async function verifyQuotas(home: Home, data: string): Promise<void> {
  const { code, stdout, stderr } = await home.barge(["quota", "verify", "--data", data]);
  assert.equal(code, 0, stdout + stderr);
}

Deno.test("kill -9 mid-upload: the old file stays; the same command goes on from the offset", async () => {
  await using home = new Home();
  const data = Deno.makeTempDirSync({ prefix: "barge-kill-", dir: home.path });
  const old = pattern(1000);
  const fresh = pattern(48 * 1024 * 1024, 1);
  Deno.writeFileSync(`${home.path}/f`, old);
  {
    await using server = await startServer({ data });
    await server.addUser("anna");
    assert.equal((await put(home, server, "f", "/home/f")).code, 0);
    Deno.writeFileSync(`${home.path}/f`, fresh);
    using watcher = Deno.watchFs(`${data}/staging`);
    const running = put(home, server, "f", "/home/f");
    for await (const { kind, paths } of watcher) {
      if (kind === "modify" && size(paths[0]) > 4 * 1024 * 1024) break;
    }
    await server.kill("SIGKILL");
    const { code, stderr } = await running;
    assert.equal(code, 5, stderr);
    assert.match(stderr, /^barge: put .*\n\(run the same command again/m);
  }
  assert.deepEqual(Deno.readFileSync(`${data}/homes/anna/f`), old);
  {
    await using server = await startServer({ data });
    assert.match(server.stderr(), /server left unfinished \(resumable uploads: 1\)/);
    const { code, stderr, results } = await put(home, server, "f", "/home/f");
    assert.equal(code, 0, stderr);
    assert.equal(results.length, 1);
    assert.equal(results[0].status, "resumed");
    assert.ok(results[0].offset > 0 && results[0].offset < fresh.length, `${results[0].offset}`);
    assert.equal(results[0].sha256, sha256(fresh));
    assert.equal(sha256(Deno.readFileSync(`${data}/homes/anna/f`)), sha256(fresh));
    assert.deepEqual(Array.from(Deno.readDirSync(`${data}/staging`)), []);
  }
  await verifyQuotas(home, data);
});

Deno.test("kill -9 in a stream of overwrites, six times: whole, settled, and nothing acknowledged is lost", async () => {
  await using home = new Home();
  const data = Deno.makeTempDirSync({ prefix: "barge-kill-", dir: home.path });
  const versions = new Map<string, number>();
  const path = "/home/f";
  let version = 0;
  /** The next version's bytes: small and large ones, so that both ways of a put are hit. */
  const next = (): Bytes => {
    version++;
    const bytes = pattern(version % 4 === 0 ? 400_000 + version : 3000 + version, version);
    versions.set(sha256(bytes), version);
    return bytes;
  };
  let acknowledged = 0;
  let server = await startServer({ data });
  try {
    await server.addUser("anna");
    const token = await server.issueToken("anna");
    for (let round = 0; round < 6; round++) {
      using peer = await Peer.open(server.address, token);
      // Which answer it does not see is chance, and where in the next put the server dies, too.
      const enough = acknowledged + 1 + Math.floor(Math.random() * 12);
      try {
        while (true) {
          const bytes = next();
          const of = version;
          if (bytes.length > 100_000) {
            const { offset } = await peer.ask({ verb: "put", path, size: bytes.length });
            const rest = offset === 0 ? bytes : bytes.slice();
            await peer.send({ offset: 0, body: rest.length }, rest, { sha256: sha256(rest) });
          } else {
            await peer.send(eager(path, bytes));
          }
          if (acknowledged >= enough) server.process.kill("SIGKILL");
          await peer.answer();
          acknowledged = of;
        }
      } catch (error) {
        // The server was killed; anything else is a failure.
        if (acknowledged < enough) throw error;
      }
      await server.kill("SIGKILL");
      const found = versions.get(sha256(Deno.readFileSync(`${data}/homes/anna/f`)));
      assert.ok(found !== undefined, `round ${round}: the file's bytes were never sent`);
      assert.ok(
        found >= acknowledged,
        `round ${round}: ${found} after ${acknowledged} was answered`,
      );

      server = await startServer({ data }); // and is the next to be killed
      await verify(data);
      using after = await Peer.open(server.address, token);
      const { used, reserved } = await after.ask({ verb: "quota" });
      const { entry, upload } = await after.ask({ verb: "stat", path }) as {
        entry: { size: number; sha256: string };
        upload: { offset: number } | null;
      };
      assert.equal(versions.get(entry.sha256), found);
      assert.equal(used, entry.size);
      // An overwrite is charged its difference: the staged bytes, less those that it will give back.
      // Nothing is given back where the put began before there was a file.
      const staged = upload?.offset ?? 0;
      assert.ok([staged, Math.max(0, staged - entry.size)].includes(reserved as number));
      acknowledged = found;
    }
  } finally {
    await server.kill("SIGKILL");
  }
});

function size(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}
