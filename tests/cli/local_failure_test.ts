/** Local files that this machine refuses to read or write: the failure names them, not the remote path. */
import assert from "node:assert/strict";
import { canMount, makeReadOnly } from "./_disk.ts";
import { lines } from "./_barge.ts";
import { loggedIn } from "./_logged_in.ts";

const root = Deno.build.os === "linux" && Deno.uid() === 0;
/** Takes root's right to use every file. */
const under = root ? ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] : [];
const mounts = await canMount();

Deno.test("a local file or folder that may not be used is named", async () => {
  await using all = await loggedIn();
  const { home } = all;
  const at = (path: string) => `${home.path}/${path}`;
  for (const folder of ["t/shut", "closed"]) Deno.mkdirSync(at(folder), { recursive: true });
  for (const path of ["small", "t/a", "t/b", "t/shut/c"]) Deno.writeTextFileSync(at(path), path);
  Deno.writeFileSync(at("large"), new Uint8Array(3 << 20));
  for (const path of ["small", "large"]) {
    assert.equal((await home.barge(["put", path, "/home/"])).code, 0);
  }
  assert.equal((await home.barge(["put", "-r", "t", "/home/"])).code, 0);
  for (const path of ["small", "large", "t/b", "t/shut"]) Deno.chmodSync(at(path), 0);
  Deno.chmodSync(at("closed"), 0o555);
  const failed = async (args: string[], ...named: string[]) => {
    const { code, stderr } = await home.barge(args, { under });
    const lines = stderr.split("\n").filter((line) => line.includes("denied"));
    assert.deepEqual(lines, named.map((name) => `barge: ${name}: permission denied`), stderr);
    assert.equal(code, 11, stderr);
  };
  await failed(["put", "small", "/home/other"], "read small");
  await failed(["put", "large", "/home/other"], "read large");
  await failed(["put", "t/shut/c", "/home/other"], "read t/shut/c");
  await failed(["put", "small", "large", "/home/"], "read small", "read large");
  await failed(["put", "-r", "t", "/home/new"], "read t/shut", "read t/b");
  await failed(["get", "/home/small", "closed/x"], "write closed/x");
  await failed(["get", "/home/large", "closed/x"], "write closed/x");
  await failed(["get", "-r", "/home/t", "closed"], "make closed/t");
  const log = await home.barge(["put", "small", "/home/other", "--log", "log"], { under });
  assert.equal(log.code, 11);
  assert.match(Deno.readTextFileSync(at("log")), /barge: read small: permission denied/);
  const json = await home.barge(["put", "small", "/home/other", "--json"], { under });
  assert.deepEqual(lines(json)[0].error, {
    kind: "denied",
    message: "read small: permission denied",
  });
  Deno.chmodSync(at("t/shut"), 0o700);
});

Deno.test({
  name: "a read-only local disk is named" +
    (mounts ? "" : " (skipped: a disk can't be mounted here)"),
  ignore: !mounts,
  async fn() {
    await using all = await loggedIn();
    const { home } = all;
    for (const folder of ["disk", "t"]) Deno.mkdirSync(`${home.path}/${folder}`);
    Deno.writeTextFileSync(`${home.path}/t/f`, "f");
    Deno.writeTextFileSync(`${home.path}/disk/old`, "f");
    assert.equal((await home.barge(["put", "-r", "t", "/home/"])).code, 0);
    await using _mount = (await makeReadOnly(`${home.path}/disk`))!;
    const file = await home.barge(["get", "/home/t/f", "disk/f"]);
    assert.match(file.stderr, /^barge: write disk\/f: read-only file system$/m);
    const tree = await home.barge(["get", "-r", "/home/t", "disk"]);
    assert.match(tree.stderr, /^barge: make disk\/t: read-only file system$/m);
    const removal = await home.barge(["get", "-r", "--delete", "/home/t/", "disk"]);
    assert.match(removal.stderr, /^barge: write disk\/f: read-only file system$/m);
    assert.deepEqual([file.code, tree.code, removal.code], [11, 11, 11]);
  },
});

Deno.test({
  name: "a local file whose reading fails is named",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using all = await loggedIn();
    const { code, stderr } = await all.home.barge(["put", "/proc/self/mem", "/home/m"]);
    assert.match(stderr, /^barge: read \/proc\/self\/mem: input\/output error$/m);
    assert.equal(code, 1);
  },
});
