/** `barge verify` and `barge backup`, as programs beside a server at work, and killed in the middle. */
import assert from "node:assert/strict";
import { startServer } from "../_server.ts";
import { eager, pattern, Peer, sha256 } from "../core/door/_peer.ts";
import { Home, lines } from "./_barge.ts";
import { makeData } from "./_data.ts";
import { type Place, Runner } from "./_runner.ts";

const data = ["--data", "data"];

/** A data directory of anna's, with no server, and `files` in her home by hand. */
async function withFiles(home: Place, files: Record<string, string>): Promise<void> {
  await makeData(`${home.path}/data`);
  for (const folder of ["homes", "homes/anna", "public", "staging"]) {
    Deno.mkdirSync(`${home.path}/data/${folder}`);
  }
  for (const [name, text] of Object.entries(files)) {
    Deno.writeTextFileSync(`${home.path}/data/homes/anna/${name}`, text);
  }
  const taken = await home.barge(["verify", "--repair", "--quick", ...data]);
  assert.equal(taken.code, 0, taken.stderr);
}

Deno.test("verify and backup of a data directory without a server", async (t) => {
  await using runner = new Runner();

  await t.step(
    "verify says what differs, in words and JSON, and its exit code is 13 until it is mended",
    async () => {
      await using home = new Home();
      const place = runner.at(home);
      await withFiles(place, { a: "12345", b: "12345", c: "123" });
      const path = (name: string) => `${home.path}/data/homes/anna/${name}`;
      const { mtime } = Deno.statSync(path("a"));
      Deno.writeTextFileSync(path("a"), "54321");
      Deno.utimeSync(path("a"), mtime!, mtime!);
      Deno.removeSync(path("b"));
      const verify = (...args: string[]) => place.barge(["verify", ...args, ...data]);

      const said = await home.barge(["verify", ...data]);
      assert.equal(said.code, 13);
      assert.deepEqual(said.stdout.split("\n").sort(), [
        "",
        "homes/anna/a: is damaged: its bytes are not those of its digest",
        "homes/anna/b: in the ledger, and not on disk",
      ]);
      assert.match(
        said.stderr,
        /^3 files compared, 8 B read: 2 differ, 0 repaired\n\(put damaged .*\n\(--repair/m,
      );
      const ledger = await place.barge(["quota", "verify", ...data]);
      assert.match(ledger.stderr, /^3 files compared: 1 differs\n\(--repair/m);
      const quick = await verify("--quick", "--json");
      assert.equal(quick.code, 13);
      assert.deepEqual(lines(quick).map(({ type, kind }) => [type, kind]), [
        ["problem", "missing"],
        ["summary", undefined],
      ]);
      const repaired = await verify("--repair", "--json");
      assert.equal(repaired.code, 13);
      const [damaged, missing, summary] = lines(repaired).sort((a, b) => a.path < b.path ? -1 : 1);
      assert.deepEqual(damaged, {
        type: "problem",
        kind: "damaged",
        path: "homes/anna/a",
        what: "is damaged: its bytes are not those of its digest",
        repaired: false,
        expected: sha256(new TextEncoder().encode("12345")),
        found: sha256(new TextEncoder().encode("54321")),
      });
      assert.deepEqual([missing.kind, missing.repaired, missing.found], ["missing", true, null]);
      assert.deepEqual(summary, {
        ...{ type: "summary", files: 3, bytes: 8, problems: 2, repaired: 1, open: 1, copied: 0 },
      });
      const accepted = await verify("--accept", "homes/anna/a", "--accept", "homes/anna/c");
      assert.equal(accepted.code, 4);
      assert.match(accepted.stderr, /^--accept homes\/anna\/c: there is no damaged file/m);
      assert.equal((await verify()).code, 0);
      assert.equal((await verify("--quick", "--accept", "homes/anna/a")).code, 2);
    },
  );

  await t.step("a backup that is killed leaves the old one, or the new one", async () => {
    await using home = new Home();
    const place = runner.at(home);
    await withFiles(place, { a: "1" });
    const backup = () => ["backup", "copy.db", "--force", "--json", ...data];
    assert.equal((await home.barge(backup())).code, 0);
    for (let i = 0; i < 5; i++) {
      const child = home.spawn(backup());
      const output = child.output();
      using watcher = Deno.watchFs(home.path, { recursive: false });
      for await (const { paths } of watcher) if (paths[0].includes("copy.db")) break;
      try {
        child.kill("SIGKILL");
      } catch { /* it was faster */ }
      await output;
      Deno.mkdirSync(`${home.path}/restored`);
      Deno.copyFileSync(`${home.path}/copy.db`, `${home.path}/restored/accounts.db`);
      const listed = await place.barge(["user", "list", "--json", "--data", "restored"]);
      assert.deepEqual(lines(listed).map(({ name }) => name), ["anna"], listed.stderr);
      Deno.removeSync(`${home.path}/restored`, { recursive: true });
    }
  });
});

Deno.test("Ctrl-C ends a long verify with 130", async () => {
  await using home = new Home();
  await withFiles(home, { before: "1" });
  const folder = `${home.path}/data/homes/anna`;
  Deno.removeSync(`${folder}/before`);
  Deno.mkdirSync(`${folder}/z`);
  Deno.writeTextFileSync(`${folder}/z/large`, "");
  Deno.truncateSync(`${folder}/z/large`, 64 * 1024 ** 3); // a minute's reading, and no bytes on disk
  const child = home.spawn(["verify", "--repair", "--json", ...data]);
  const stderr = new Response(child.stderr).text();
  const reader = child.stdout.getReader();
  const { value } = await reader.read(); // `before` is gone; then comes the large one
  assert.match(new TextDecoder().decode(value), /"kind":"missing"/);
  child.kill("SIGINT");
  assert.equal((await child.status).code, 130);
  assert.match(await stderr, /^barge: verify: interrupted/m);
  await reader.cancel();
});

Deno.test("beside a server with writers nothing differs; killed in the middle, neither; backups restore", async () => {
  await using home = new Home();
  const data = `${home.path}/data`;
  Deno.mkdirSync(data);
  const acknowledged = new Map<string, string>();
  const verify = (...args: string[]) => home.barge(["verify", "--data", data, ...args]);
  let token: string | undefined;
  for (let round = 0; round < 2; round++) {
    await using server = await startServer({ data, args: ["--workers", "2"] });
    if (!token) await server.addUser("anna");
    token ??= await server.issueToken("anna");
    let running = true;
    let version = 0;
    const writers = [0, 1].map(async (n) => {
      while (running) {
        try {
          using peer = await Peer.open(server.address, token);
          for (let i = 0; running && i < 40; i++) {
            const bytes = pattern(2000 + i * 997, ++version);
            const path = `/home/w${n}-${i % 10}`;
            acknowledged.delete(path); // one or the other, until it is answered
            await peer.ask(eager(path, bytes));
            acknowledged.set(path, sha256(bytes));
          }
          // One more is cut off in the middle.
          await peer.ask({ verb: "put", path: `/home/cut${n}`, size: 1_000_000 });
          await peer.send({ offset: 0, body: 1_000_000 }, pattern(5000));
        } catch (error) {
          if (running) throw error;
        }
      }
    });
    try {
      for (let i = 0; i < 2; i++) {
        const { code, stdout, stderr } = await verify(...i === 0 ? [] : ["--repair"]);
        assert.equal(code, 0, stdout + stderr);
        assert.equal(stdout, "");
      }
      const copied = await home.barge(["backup", `backup-${round}.db`, "--data", data, "--json"]);
      assert.equal(copied.code, 0, copied.stderr);
      // Killed at a moment that chance chooses: the next one finds nothing that it left.
      const killed = home.spawn(["verify", "--repair", "--data", data]);
      const chance = setTimeout(() => {
        try {
          killed.kill("SIGKILL");
        } catch { /* it was faster */ }
      }, 100 + Math.random() * 200);
      await killed.output();
      clearTimeout(chance);
      const { code, stdout, stderr } = await verify();
      assert.equal(code, 0, stdout + stderr);
    } finally {
      running = false;
      if (round === 0) await server.kill("SIGKILL");
      await Promise.all(writers);
    }
  }
  const { code, stdout, stderr } = await verify("--repair");
  assert.equal(code, 0, stdout + stderr);
  assert(acknowledged.size > 0);
  for (const [path, digest] of acknowledged) {
    const bytes = Deno.readFileSync(path.replace("/home", `${data}/homes/anna`));
    assert.equal(sha256(bytes), digest, path);
  }

  // The last backup, with files that were copied by hand: the digests still hold.
  const again = `${home.path}/again`;
  Deno.mkdirSync(again);
  for (const folder of ["homes", "public"]) {
    const { success } = await new Deno.Command("cp", {
      args: ["-a", `${data}/${folder}`, again],
    }).output();
    assert(success);
  }
  const last = await home.barge(["backup", "last.db", "--data", data]);
  assert.equal(last.code, 0, last.stderr);
  Deno.renameSync(`${home.path}/last.db`, `${again}/accounts.db`);
  const restored = await home.barge(["verify", "--repair", "--json", "--data", again]);
  assert.equal(restored.code, 0, restored.stdout + restored.stderr);
  const kinds = new Set(lines(restored).map(({ kind, type }) => kind ?? type));
  for (const kind of ["changed", "damaged", "unknown"]) assert(!kinds.has(kind), restored.stdout);
  const { files, copied } = lines(restored).at(-1)!;
  assert(copied > 0 && copied <= files, restored.stdout);
  assert.equal((await home.barge(["verify", "--data", again])).code, 0);
});
