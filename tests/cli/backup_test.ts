/** docs/backup.md as a drill: its blocks, as they stand there, bring back what was backed up. */
import assert from "node:assert/strict";
import { layHostKeys } from "../_host_keys.ts";
import { type Server, startServer } from "../_server.ts";
import { eager, Peer, sha256, text } from "../core/door/_peer.ts";
import { Home, lines } from "./_barge.ts";

const page = new URL("../../docs/backup.md", import.meta.url);
const rsync = await (async () => {
  try {
    return (await new Deno.Command("rsync", { args: ["--version"], stdout: "null" }).output())
      .success;
  } catch {
    return false;
  }
})();
const name =
  "the documented backup and restore bring back all that was backed up, and nothing else";

Deno.test({
  name: rsync ? name : `${name} (skipped: rsync is not here)`,
  ignore: !rsync,
  async fn() {
    const [backUp, restore, database] = blocks(Deno.readTextFileSync(page));
    await using home = new Home();
    const data = `${home.path}/data`;
    const env = { BARGE_DATA: data, BACKUP: `${home.path}/backup` };
    Deno.mkdirSync(env.BACKUP);
    const run = (block: string[], variables = env) => runBlock(home, block, variables);
    const args = ["--ftps", "127.0.0.1:0", "--sftp", "127.0.0.1:0", "--workers", "1"];
    Deno.mkdirSync(data);
    await layHostKeys(data);
    // An executable that the server's user has unpacked, where the directory is that user's home.
    Deno.mkdirSync(`${data}/.cache/barge`, { recursive: true });
    let marks: string[];
    {
      await using server = await startServer({ data, args });
      await server.addUser("anna");
      await put(server, { before: "before", changed: "old", gone: "gone" });
      await run(backUp);
      assert.throws(() => Deno.statSync(`${env.BACKUP}/data/.cache`), Deno.errors.NotFound);
      marks = await marksOf(home, data);
      await put(server, { changed: "new", after: "after" });
      await server.kill("SIGKILL"); // the newest changes are in accounts.db-wal
    }
    // As a script with `set -e`, on a disk that is not mounted, the block ends before rsync.
    const unmounted = { ...env, BARGE_DATA: `${home.path}/unmounted` };
    Deno.mkdirSync(unmounted.BARGE_DATA);
    await assert.rejects(run(backUp, unmounted), /no barge data directory here/);
    assert.ok(Deno.statSync(`${env.BACKUP}/data/homes/anna/before`).isFile);
    const unset = { ...env, BARGE_DATA: "" };
    await assert.rejects(run(backUp.slice(1), unset), /BARGE_DATA/);
    assert.ok(Deno.statSync(`${data}/accounts.db-wal`).size > 0);
    Deno.removeSync(`${data}/tls`, { recursive: true });

    await run(restore);
    assert.deepEqual(await marksOf(home, data), marks);
    const agree = await home.barge(["verify", "--json"], { env });
    assert.deepEqual(lines(agree).map(({ files, problems }) => [files, problems]), [[3, 0]]);
    {
      await using server = await startServer({ data, args });
      using peer = await Peer.open(server.address, "anna");
      const { entries } = await peer.ask({ verb: "list", path: "/home" });
      const found = (entries as { name: string; sha256: string }[])
        .map(({ name, sha256 }) => [name, sha256]);
      const wanted = { before: "before", changed: "old", gone: "gone" };
      assert.deepEqual(
        found,
        Object.entries(wanted).map(([name, bytes]) => [name, sha256(text(bytes))]),
      );
      await server.kill("SIGKILL");
    }

    Deno.writeTextFileSync(`${data}/accounts.db`, "this is no database");
    assert.equal((await home.barge(["verify"], { env })).code, 7);
    await run(database);
    assert.equal((await home.barge(["verify"], { env })).code, 0);
  },
});

async function put({ address }: Server, files: Record<string, string>): Promise<void> {
  using peer = await Peer.open(address, "anna");
  for (const [name, bytes] of Object.entries(files)) {
    await peer.ask(eager(`/home/${name}`, text(bytes)));
  }
}

/** The lines of each block that is marked `sh`. */
function blocks(markdown: string): string[][] {
  return [...markdown.matchAll(/^```sh\n([^]*?)^```$/gm)]
    .map(([, block]) => block.trim().split("\n"));
}

/** Runs a block line by line; barge by the program under test. */
async function runBlock(
  home: Home,
  block: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  for (const line of block) {
    if (line.startsWith("barge ")) {
      const words = line.split(" ").slice(1).map((word) =>
        word.replace(/^"(.*)"$/, "$1").replace(/\$(\w+)/g, (_, name) => env[name])
      );
      const { code, stdout, stderr } = await home.barge(words, { env });
      assert.equal(code, 0, `${line}: ${stdout}${stderr}`);
      continue;
    }
    const { success, stderr } = await new Deno.Command("sh", { args: ["-ec", line], env }).output();
    assert.ok(success, `${line}: ${new TextDecoder().decode(stderr)}`);
  }
}

/** The certificate and the host keys. */
async function marksOf(home: Home, data: string): Promise<string[]> {
  const [{ fingerprint, hostKeys }] = lines(await home.barge(["cert", "--json", "--data", data]));
  return [fingerprint, ...hostKeys.map((key: { fingerprint: string }) => key.fingerprint)];
}
