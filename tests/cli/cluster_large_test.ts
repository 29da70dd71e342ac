/**
 * A folder with many entries on two nodes: listed through each door, moved and copied. The number of entries is
 * a small one, unless BARGE_LARGE_ENTRIES sets it.
 */
import assert from "node:assert/strict";
import { hasEngines } from "../contract/store/_shared.ts";
import type { Server } from "../_server.ts";
import { Home, lines } from "./_barge.ts";
import { Nodes } from "./_nodes.ts";
import { has } from "./_ftp.ts";

const given = Deno.env.get("BARGE_LARGE_ENTRIES");
/** More than two batches of a listing. */
const entries = Number(given ?? 1_000);
const login = "anna:anna-secret";

/** Measures a step, and prints its time where the number of entries was set. */
async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  const seconds = ((performance.now() - start) / 1000).toFixed(2);
  // deno-lint-ignore no-console -- it is a measurement
  if (given) console.log(`${what}: ${seconds} s`);
  return result;
}

async function curl(...args: readonly string[]): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command("curl", {
    args: ["-sSfg", "-u", login, ...args],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** Returns the names in a folder, through each door in turn. */
const lists: Readonly<
  Record<string, (node: Server, folder: string, home: Home) => Promise<string[]>>
> = {
  async native(node, folder, home) {
    const remote = `barge://anna@${node.address}`;
    const env = { BARGE_PASSWORD: "anna-secret" };
    const listed = await home.barge(["ls", "--json", "--server", remote, folder], { env });
    assert.equal(listed.code, 0, listed.stderr);
    return lines(listed).map(({ name }) => name);
  },
  async api(node, folder) {
    const text = await curl(`http://${node.facts.http}/api/v1/files${folder}`);
    return JSON.parse(text).entries.map(({ name }: { name: string }) => name);
  },
  async webdav(node, folder) {
    const url = `http://${node.facts.http}/dav${folder}/`;
    const text = await curl("-X", "PROPFIND", "-H", "Depth: 1", url);
    return [...text.matchAll(/<D:href>.*?\/([^/<]+)<\/D:href>/g)].map(([, name]) => name);
  },
  async ftp(node, folder) {
    const names = await curl("--list-only", `ftp://${node.facts.ftp}${folder}/`);
    return names.trimEnd().split(/\r?\n/);
  },
  async sftp(node, folder) {
    const names = await curl("-k", "--list-only", `sftp://${node.facts.sftp}${folder}/`);
    return names.trimEnd().split("\n").filter((name) => !/^\.\.?$/.test(name));
  },
};

Deno.test({
  name: `a folder of many entries is listed by all doors of two nodes, moved and copied`,
  ignore: !hasEngines || !has("curl"),
  async fn() {
    await using nodes = await Nodes.make();
    await nodes.addUser("anna");
    const doors = ["http", "ftp", "sftp"].flatMap((door) => [`--${door}`, "127.0.0.1:0"]);
    const servers = [await nodes.start({ args: doors }), await nodes.start({ args: doors })];
    const [first, second] = servers;
    await using home = new Home();
    await Deno.mkdir(`${home.path}/many`);
    const names = Array.from({ length: entries }, (_, i) => `${i}`).sort();
    for (const name of names) await Deno.writeTextFile(`${home.path}/many/${name}`, "x");
    const env = { BARGE_PASSWORD: "anna-secret" };
    const run = async (node: Server, ...args: string[]) => {
      const remote = `barge://anna@${node.address}`;
      const { code, stderr } = await home.barge([...args, "--server", remote], { env });
      assert.equal(code, 0, stderr);
    };
    await timed("put", () => run(first, "put", "-r", "many", "/home/"));
    for (const [i, [door, list]] of Object.entries(lists).entries()) {
      const found = await timed(`list ${door}`, () => list(servers[i % 2], "/home/many", home));
      assert.deepEqual(found.sort(), names, door);
    }
    await timed("mv", () => run(second, "mv", "/home/many", "/home/moved"));
    assert.equal((await lists.ftp(first, "/home/moved", home)).length, entries);
    await assert.rejects(lists.ftp(first, "/home/many", home));
    await timed("copy", () =>
      curl(
        ...["-X", "COPY", "-H", "Destination: /dav/home/copied"],
        `http://${first.facts.http}/dav/home/moved`,
      ));
    assert.equal((await lists.sftp(second, "/home/copied", home)).length, entries);
    await timed("remove", () => curl("-X", "DELETE", `http://${second.facts.http}/dav/home/moved`));
    assert.deepEqual((await lists.api(first, "/home/copied", home)).sort(), names);
    await assert.rejects(lists.api(first, "/home/moved", home));
    await nodes.setup.check();
  },
});
