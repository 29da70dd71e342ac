/** Clients of the SFTP door that are not OpenSSH's. */
import assert from "node:assert/strict";
import { pattern, SharedServerTest } from "./_sftp.ts";

const shared = new SharedServerTest("other programs work at the SFTP door of one server");

shared.add(["rclone", "ssh-keygen"], "rclone moves trees, and checks them", async (at) => {
  await at.tree("tree");
  const env = {
    RCLONE_CONFIG: "/dev/null",
    RCLONE_CONFIG_B_TYPE: "sftp",
    RCLONE_CONFIG_B_HOST: "127.0.0.1",
    RCLONE_CONFIG_B_PORT: at.port,
    RCLONE_CONFIG_B_USER: at.account,
    RCLONE_CONFIG_B_KEY_FILE: `${at.home.path}/key`,
    RCLONE_CONFIG_B_KNOWN_HOSTS_FILE: `${at.home.path}/known_hosts`,
  };
  const rclone = (...args: string[]) => at.ok("rclone", [...args, "--quiet"], { env });
  await rclone("copy", "--create-empty-src-dirs", "tree", "B:tree");
  await rclone("check", "tree", "B:tree");
  assert.match(await rclone("md5sum", "B:tree/empty"), /^d41d8cd98f00b204e9800998ecf8427e /);
  await rclone("copy", "--create-empty-src-dirs", "B:tree", "back");
  await at.same("tree", "back");
  await Deno.writeTextFile(`${at.home.path}/tree/empty`, "no more");
  await rclone("sync", "tree", "B:tree");
  assert.equal(await rclone("cat", "B:tree/empty"), "no more");
  const about = JSON.parse(await rclone("about", "B:", "--json"));
  assert.equal(about.total, 10_000_000);
  assert.equal(about.used, 3_000_001 + 100_000 + 10 + 7);
  await rclone("moveto", "B:tree/large", "B:larger");
  await rclone("purge", "B:tree");
  assert.equal(await rclone("lsf", "B:"), "larger\n");
}, { quota: "10MB" });

shared.add(["lftp", "ssh", "ssh-keygen"], "lftp mirrors a tree both ways", async (at) => {
  await at.tree("tree");
  const connect = `ssh -a -x ${at.options.join(" ")}`;
  const script = [
    ...["set net:max-retries 1", "set net:timeout 20"],
    `set sftp:connect-program "${connect}"`,
    `open -u ${at.account}, sftp://127.0.0.1:${at.port}`,
    ...["mirror -R tree up", "mirror up back", "mv up/large up/moved", "rm -r up", "cls -1"],
  ];
  assert.equal(await at.ok("lftp", ["-c", script.join("; ")]), "");
  await at.same("tree", "back");
});

const fuse = (() => {
  try {
    Deno.openSync("/dev/fuse", { read: true, write: true }).close();
    return ["sshfs", "fusermount3", "ssh", "ssh-keygen"];
  } catch {
    return ["sshfs", "fuse device that can be opened"];
  }
})();

shared.add(fuse, "sshfs mounts it, as large as the quota", async (at) => {
  await at.tree("tree");
  const mount = `${at.home.path}/mount`;
  await Deno.mkdir(mount);
  await at.ok("sshfs", [...at.options, `${at.login}:/home`, mount]);
  try {
    await at.ok("cp", ["-rp", "tree", "mount/tree"]);
    await at.same("tree", "mount/tree");
    const df = await at.ok("df", ["-B1", "--output=size,used", mount]);
    assert.deepEqual(df.trim().split(/\s+/).slice(-2), ["10000000", "3100011"]);
    const name = "tree/sub/deeper/-dash";
    await appendAndChange(
      `${mount}/${name}`,
      () => at.server.readFile(`/home/${name}`, at.account),
    );
    await Deno.rename(`${mount}/tree/large`, `${mount}/tree/empty`);
    await Deno.truncate(`${mount}/tree/empty`, 1000);
    assert.deepEqual(await Deno.readFile(`${mount}/tree/empty`), pattern(3_000_001).slice(0, 1000));
    await Deno.chmod(`${mount}/tree/empty`, 0o600);
    await assert.rejects(Deno.symlink("empty", `${mount}/tree/link`));
    const huge = ["if=/dev/zero", "of=mount/huge", "bs=1000000", "count=11", "conv=fsync"];
    assert.equal((await at.run("dd", huge)).code, 1);
    await Deno.remove(`${mount}/tree`, { recursive: true });
  } finally {
    await at.ok("fusermount3", ["-u", mount]);
  }
  const left = await at.sftp("ls");
  assert(!left.includes("tree"), left);
}, { quota: "10MB" });

shared.add([...fuse, "git"], "what programs do to open files works over sshfs", async (at) => {
  const mount = `${at.home.path}/mount`;
  await Deno.mkdir(mount);
  await at.ok("sshfs", [...at.options, `${at.login}:/home`, mount]);
  try {
    await at.ok("touch", ["-d", "2020-01-01 UTC", "mount/dated"]);
    const time = await at.ok("stat", ["-c", "%Y", "mount/dated"]);
    assert.equal(Number(time), Date.UTC(2020, 0, 1) / 1000);
    await Deno.writeTextFile(`${mount}/final`, "old");
    {
      using file = await Deno.open(`${mount}/tmp`, { write: true, createNew: true });
      await file.write(new TextEncoder().encode("new "));
      await Deno.rename(`${mount}/tmp`, `${mount}/final`);
      await file.write(new TextEncoder().encode("one"));
    }
    assert.equal(await Deno.readTextFile(`${mount}/final`), "new one");
    {
      using file = await Deno.open(`${mount}/final`, { write: true });
      await Deno.remove(`${mount}/final`);
      await file.write(new TextEncoder().encode("gone"));
    }
    await assert.rejects(Deno.stat(`${mount}/final`), Deno.errors.NotFound);
    for (const folder of ["a", "b"]) await Deno.mkdir(`${mount}/${folder}`);
    await Deno.writeTextFile(`${mount}/a/f`, "in a");
    await Deno.rename(`${mount}/a`, `${mount}/b`);
    assert.equal(await Deno.readTextFile(`${mount}/b/f`), "in a");
    const git = (...args: string[]) =>
      at.ok("git", [
        "-c",
        "safe.directory=*",
        "-c",
        "user.name=anna",
        "-c",
        "user.email=anna@here",
        ...args,
      ]);
    await git("init", "-q", "mount/repo");
    for (const text of ["one", "two"]) {
      await Deno.writeTextFile(`${mount}/repo/f`, text);
      await git("-C", "mount/repo", "add", "f");
      await git("-C", "mount/repo", "commit", "-q", "-m", text);
    }
    assert.equal(await git("-C", "mount/repo", "show", "HEAD^:f"), "one");
    assert.equal(await git("-C", "mount/repo", "status", "--porcelain"), "");
    await git("-C", "mount/repo", "fsck", "--strict");
  } finally {
    await at.ok("fusermount3", ["-u", mount]);
  }
});

/**
 * Opens a file once, to read and write here and there.
 *
 * @param read returns its bytes at the server
 */
async function appendAndChange(path: string, read: () => Promise<Uint8Array>): Promise<void> {
  const before = [...await read()];
  await Deno.writeTextFile(path, "!", { append: true });
  await becomes(read, [...before, 33]);
  {
    using file = await Deno.open(path, { read: true, write: true });
    await file.seek(2, Deno.SeekMode.Start);
    await file.write(new TextEncoder().encode("xy"));
    await file.seek(1, Deno.SeekMode.Start);
    const read = new Uint8Array(4);
    await file.read(read);
    assert.deepEqual([...read], [7, 0x78, 0x79, 28]);
  }
  const changed = [0, 7, 0x78, 0x79, 28, 35, 42, 49, 56, 63, 33];
  await becomes(read, changed);
  assert.deepEqual([...await Deno.readFile(path)], changed);
}

/** The kernel tells sshfs of a close behind the caller's back: only then is what was written a file. */
async function becomes(
  read: () => Promise<Uint8Array>,
  bytes: readonly number[],
): Promise<void> {
  const by = performance.now() + 10_000;
  while (true) {
    const found = [...await read()];
    if (found.join() === bytes.join()) return;
    if (performance.now() > by) assert.deepEqual(found, bytes);
  }
}
