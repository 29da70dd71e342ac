/** A data directory that belongs to a service's user: root's commands leave it usable for that user. */
import assert from "node:assert/strict";
import { startServer } from "../_server.ts";
import { canMount, makeReadOnly } from "./_disk.ts";
import { Home } from "./_barge.ts";

const nobody = 65_534;
const root = Deno.build.os !== "windows" && Deno.uid() === 0;
const mounts = await canMount();

/** Returns the paths at or below a folder whose owner is not the user nobody. */
function notTheirs(folder: string): string[] {
  const { uid, gid, isDirectory } = Deno.lstatSync(folder);
  const below = isDirectory
    ? Array.from(Deno.readDirSync(folder), ({ name }) => notTheirs(`${folder}/${name}`)).flat()
    : [];
  return uid === nobody && gid === nobody ? below : [folder, ...below];
}

Deno.test({
  name: "what root's commands make in a service's directory is the service's" +
    (root ? "" : " (skipped: root alone may give files away)"),
  ignore: !root,
  async fn() {
    await using home = new Home();
    const data = `${home.path}/data`;
    Deno.mkdirSync(data, { mode: 0o700 });
    Deno.chownSync(data, nobody, nobody);
    const ok = async (...args: string[]) => {
      const { code, stderr } = await home.barge([...args, "--data", data]);
      assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
    };
    for (const name of ["anna", "bob"]) await ok("user", "add", name, "--generate");
    assert.deepEqual(notTheirs(data), []);
    const under = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"];
    const refused = await home.barge(["user", "list", "--data", data], { under });
    assert.equal(refused.code, 11, refused.stderr);
    assert.match(
      refused.stderr,
      /open .*data: permission denied: it belongs to nobody\n.*sudo -u nobody/,
    );
    Deno.mkdirSync(`${data}/homes/bob`, { recursive: true });
    Deno.writeTextFileSync(`${data}/homes/bob/f`, "kept");
    for (const path of ["homes", "homes/bob", "homes/bob/f"]) {
      Deno.chownSync(`${data}/${path}`, nobody, nobody);
    }
    await ok("verify", "--repair");
    await ok("user", "remove", "bob");
    await ok("quota", "set", "anna", "1GB");
    assert.deepEqual(notTheirs(data), []);
    assert.equal(Array.from(Deno.readDirSync(`${data}/removed`)).length, 1);
    {
      const args = ["--sftp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--tls"];
      await using server = await startServer({ data, args });
      await server.kill("SIGTERM");
    }
    // The log and its index were the server's, which was root here; they go with it.
    assert.deepEqual(notTheirs(data), []);
  },
});

Deno.test({
  name:
    "where the server may not use its own files it says so in its log, and refuses nobody for it" +
    (mounts ? "" : " (skipped: a disk can't be mounted here)"),
  ignore: !mounts,
  async fn() {
    await using server = await startServer({ args: ["--http", "127.0.0.1:0"] });
    await server.addUser("anna");
    await using _mount = (await makeReadOnly(`${server.data}/public`))!;
    const authorization = `Basic ${btoa("anna:anna-secret")}`;
    const url = `http://${server.facts.http}/dav/public/folder`;
    const response = await fetch(url, { method: "MKCOL", headers: { authorization } });
    const text = await response.text();
    assert.equal(response.status, 500, text);
    assert.match(text, /the server failed; its log says how/);
    await server.said("barge may not use its own files: read-only file system");
    const line = server.stderr().split("\n").find((line) => line.includes("may not use"))!;
    assert.equal(JSON.parse(line).level, "ERROR");
    assert.match(line, /public\/folder/);
  },
});
