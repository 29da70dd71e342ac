/** No space left on the server's disk: said so, and nothing is lost or held. */
import assert from "node:assert/strict";
import { until } from "../_observe.ts";
import { type Server, startServer } from "../_server.ts";
import { assertUp, eager, pattern, Peer, sha256 } from "../core/door/_peer.ts";
import { Home } from "./_barge.ts";

const MiB = 1024 * 1024;

const full = /^barge: put .*\/home\/f: the server's disk is full$/m;

/** A disk of 8 MiB; undefined where none can be had. */
async function smallDisk(path: string): Promise<AsyncDisposable | undefined> {
  Deno.mkdirSync(path);
  if (!await run("mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", path)) return undefined;
  return { [Symbol.asyncDispose]: async () => void await run("umount", path) };
}

const possible = await (async () => {
  const path = Deno.makeTempDirSync({ prefix: "barge-disk-" });
  const disk = await smallDisk(`${path}/disk`);
  await disk?.[Symbol.asyncDispose]();
  Deno.removeSync(path, { recursive: true });
  return disk !== undefined;
})();
const name = "no space left on the server: exit code 5, the old file stays, the room is given back";

Deno.test({
  name: possible ? name : `${name} (skipped: a disk can't be mounted here)`,
  ignore: !possible,
  async fn(t) {
    await using home = new Home();
    const data = `${home.path}/disk`;
    await using _disk = await smallDisk(data);
    await using server = await startServer({ data });
    await server.addUser("anna");
    const old = pattern(1000);
    const command = (
      local: string,
    ) => ["put", "--server", `barge://anna@${server.address}`, local, "/home/f"];
    const env = { BARGE_PASSWORD: await server.issueToken("anna") };
    const put = (local: string) => home.barge(command(local), { env });
    Deno.writeFileSync(`${home.path}/old`, old);
    assert.equal((await put("old")).code, 0);
    Deno.writeFileSync(`${home.path}/big`, pattern(24 * MiB));

    await t.step("of a size that is known", async () => {
      const { code, stderr } = await put("big");
      assert.equal(code, 5, stderr);
      assert.match(stderr, full);
      await asBefore(server, old);
      assert.match(
        server.stderr(),
        /"WARN".*"message":"put \/home\/f: the storage is full: no space left on device/,
      );
    });
    await t.step("of a size that is not", async () => {
      const child = home.spawn(command("-"), { env, stdin: "" });
      // It stops reading when it is told; so must who feeds it.
      const fed = Deno.open(`${home.path}/big`)
        .then((file) => file.readable.pipeTo(child.stdin)).catch(() => {});
      const { code, stderr } = await child.output();
      await fed;
      assert.equal(code, 5);
      assert.match(new TextDecoder().decode(stderr), full);
      await asBefore(server, old);
    });
    await t.step(
      "of many small ones: those that fit are there, the others whole or absent",
      async () => {
        using peer = await Peer.open(server.address, "anna");
        const small = pattern(200_000);
        const said: string[] = [];
        for (let i = 0; i < 60; i++) {
          await peer.send(eager(`/home/s${i}`, small));
          const answer = await peer.answer();
          said.push(answer.ok ? "ok" : (answer.error as { kind: string }).kind);
        }
        const fit = said.filter((kind) => kind === "ok").length;
        assert.ok(fit > 5 && fit < 60, `${fit}`);
        assert.deepEqual([...new Set(said)].sort(), ["no-space", "ok"]);
        // Full to the last byte, there is no room to note a removal, either: the operator makes some.
        assert.ok(await run("mount", "-o", "remount,size=16m", data));
        for (const [i, kind] of said.entries()) {
          const path = `/home/s${i}`;
          // One may have been renamed into place before the ledger had no room left to say so: it is
          // settled by the next commit, as if its client had been cut off.
          await peer.send({ verb: "stat", path });
          const { ok, entry } = await peer.answer() as { ok: boolean; entry?: { sha256: string } };
          assert.equal(ok, entry !== undefined);
          assert.ok(ok || kind !== "ok", path);
          if (entry) assert.equal(entry.sha256, sha256(small));
          if (entry) await peer.ask({ verb: "remove", path });
        }
        // An upload whose row could not be removed on the full disk is settled within a second or so.
        await until(async () => (await peer.ask({ verb: "quota" })).reserved === 0);
        await asBefore(server, old);
      },
    );
    await t.step("and with room again it goes on", async () => {
      const { code, stderr } = await put("old");
      assert.equal(code, 0, stderr);
    });
    await t.step("of a tree: the first file is named, the others are counted", async () => {
      Deno.mkdirSync(`${home.path}/tree`);
      const small = pattern(200_000);
      for (let i = 0; i < 100; i++) Deno.writeFileSync(`${home.path}/tree/${i}`, small);
      const { code, stderr } = await home.barge(
        ["put", "-r", "--server", `barge://anna@${server.address}`, "tree", "/home/"],
        { env },
      );
      assert.equal(code, 5, stderr);
      assert.match(stderr, /^barge: and \d+ more of the same$/m);
      assert.ok(stderr.split("\n").length < 12, stderr);
    });
    await t.step("with room again the ledger agrees, by itself", async () => {
      assert.ok(await run("mount", "-o", "remount,size=64m", data));
      // What was renamed as the ledger's room ended is settled within a second or so.
      let said = "";
      for (let tries = 0; tries < 50; tries++) {
        const { code, stdout, stderr } = await home.barge(["quota", "verify", "--data", data]);
        if (code === 0) return;
        said = stdout + stderr;
      }
      assert.fail(said);
    });
    assert.doesNotMatch(server.stderr(), /"level":"ERROR"/);
    // Once a minute and worker, not once a file.
    const { length } = server.stderr().match(/the storage is full/g) ?? [];
    assert.ok(length > 0 && length <= 2 * navigator.hardwareConcurrency, `${length}`);
  },
});

async function run(command: string, ...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args, stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

async function asBefore(server: Server, old: Uint8Array): Promise<void> {
  await assertUp(server.address);
  assert.deepEqual(Deno.readFileSync(`${server.data}/homes/anna/f`), old);
  using peer = await Peer.open(server.address, "anna");
  const { used, reserved } = await peer.ask({ verb: "quota" });
  assert.deepEqual([used, reserved], [old.length, 0]);
  assert.deepEqual(Array.from(Deno.readDirSync(`${server.data}/staging`)), []);
}
