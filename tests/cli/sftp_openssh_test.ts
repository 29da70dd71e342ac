import assert from "node:assert/strict";
import { Open } from "../../core/door/sftp/packet.ts";
import { SftpPeer } from "../core/door/sftp/_peer.ts";
import { pattern, SharedServerTest } from "./_sftp.ts";

const shared = new SharedServerTest("OpenSSH's programs work at the SFTP door of one server", 2);

const openssh = ["sftp", "scp", "ssh", "ssh-keygen"];

shared.add(openssh, "sftp moves trees both ways, and all else that it knows", async (at) => {
  await at.tree("tree");
  const said = await at.sftp(
    ...["pwd", "mkdir up", "put -pR tree up/", "ls -la up/tree", "get -pR up/tree back"],
    ...["df /home", "chmod 600 up/tree/empty", "-ln -s up there", "-ln up/tree/empty hard"],
    ...["rename up/tree/empty up/tree/full", "rm up/tree/full", "-rmdir up"],
    ...["put tree/empty /public/empty", "ls -l /public", "-get /etc/passwd", "-cd /nowhere"],
  );
  await at.same("tree", "back");
  assert.match(said, /Remote working directory: \/home\n/);
  const owner = `-rw-r--r-- .* ${at.account} +${at.account}`;
  assert.match(said, new RegExp(`${owner} +3000001 Feb +2 +2020 .*large`));
  assert.match(said, new RegExp(`${owner} +0 .*/public/empty`));
  const { mtime } = await Deno.stat(`${at.home.path}/back/large`);
  assert.equal(mtime?.toISOString(), "2020-02-02T02:02:02.000Z");
});

shared.add(openssh, "scp moves trees both ways, in its new form and in its old one", async (at) => {
  await at.tree("tree");
  for (const form of [[], ["-O"]]) {
    const scp = (...args: string[]) => at.ok("scp", [...at.options, ...form, ...args]);
    const name = `t${form.length}`;
    await scp("-rp", "tree", `${at.login}:${name}`);
    await scp("-rp", `${at.login}:${name}`, "back");
    await at.same("tree", "back");
    const { mtime } = await Deno.stat(`${at.home.path}/back/large`);
    assert.equal(mtime?.toISOString(), "2020-02-02T02:02:02.000Z");
    await Deno.remove(`${at.home.path}/back`, { recursive: true });
    await scp("tree/large", "tree/empty", `${at.login}:/home/${name}/sub/`);
    await Deno.mkdir(`${at.home.path}/few`);
    await scp(`${at.login}:${name}/[el]*`, "few");
    assert.deepEqual([...Deno.readDirSync(`${at.home.path}/few`)].length, 2);
    await Deno.remove(`${at.home.path}/few`, { recursive: true });
    const { code, stderr } = await at.run("scp", [
      ...[...at.options, ...form, "tree/large", `${at.login}:no/such/folder`],
    ]);
    assert.equal(code, 1, stderr);
  }
});

shared.add(
  openssh,
  "each cipher carries a file both ways, also while its keys are changed",
  async (at) => {
    const whole = pattern(1_200_000); // two changes of keys each way
    await Deno.writeFile(`${at.home.path}/f`, whole);
    const macs = ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512"];
    const suites = [
      ...["chacha20-poly1305", "aes128-gcm", "aes256-gcm"].map((
        name,
      ) => [`Ciphers=${name}@openssh.com`]),
      ...[128, 192, 256].map((bits, i) => [`Ciphers=aes${bits}-ctr`, `MACs=${macs[i % 2]}`]),
    ];
    for (const [i, suite] of suites.entries()) {
      const options = [...suite, "RekeyLimit=500K"].flatMap((option) => ["-o", option]);
      const scp = (...args: string[]) => at.ok("scp", [...at.options, ...options, ...args]);
      await scp("f", `${at.login}:g${i}`);
      await scp(`${at.login}:g${i}`, "back");
      assert.deepEqual(await Deno.readFile(`${at.home.path}/back`), whole, suite.join());
    }
  },
);

shared.add(openssh, "scp in both forms stops at the entry quota", async (at) => {
  await at.server.changeUser(at.account, { entryLimit: 3 });
  await Deno.mkdir(`${at.home.path}/d/e`, { recursive: true });
  for (const name of ["f", "e/g", "h"]) await Deno.writeTextFile(`${at.home.path}/d/${name}`, name);
  for (const form of ["-s", "-O"]) {
    const { code } = await at.run("scp", [...at.options, form, "-r", "d", `${at.login}:.`]);
    assert.notEqual(code, 0, form);
    const names = await at.names("d");
    const below = names.includes("e") ? await at.names("d/e") : [];
    assert.equal(1 + names.length + below.length, 3, form);
    await at.sftp("-rm d/e/*", "-rmdir d/e", "-rm d/*", "rmdir d");
  }
});

shared.add(openssh, "a tilde is one's home for scp in both forms, and for commands", async (at) => {
  await Deno.writeTextFile(`${at.home.path}/f`, "hello");
  const sum = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
  for (const form of ["-s", "-O"]) {
    const scp = (from: string, to: string) => at.run("scp", [...at.options, form, from, to]);
    const [to, name] = [`${at.login}:~/g`, `${form}.back`];
    assert.equal((await scp("f", to)).code, 0, form);
    assert.equal((await scp("f", `${at.login}:~`)).code, 0, form);
    assert.equal((await scp("f", `${at.login}:~${at.account}/h`)).code, 0, form);
    const names = await at.names(".");
    assert.deepEqual(names.sort(), ["f", "g", "h"], form);
    assert.equal((await scp(to, name)).code, 0, form);
    assert.equal(await Deno.readTextFile(`${at.home.path}/${name}`), "hello");
    const other = await scp("f", `${at.login}:~eve/g`);
    assert.notEqual(other.code, 0, form);
    assert.match(other.stderr, form === "-O" ? /no path to the home of eve/ : /~eve/);
    await at.sftp(...names.map((name) => `rm ${name}`));
  }
  await at.ok("scp", [...at.options, "f", `${at.login}:g`]);
  const run = (command: string) => at.run("ssh", [...at.options, at.login, command]);
  assert.equal((await run("sha256sum ~/g")).stdout, `${sum}  /home/g\n`);
  const quoted = await run("sha256sum '~/g'");
  assert.equal(quoted.code, 1, quoted.stdout);
  assert.match((await run("md5sum ~eve/g")).stderr, /no path to the home of eve/);
});

shared.add(
  openssh,
  "an upload that was cut is continued by reput, a download by reget",
  async (at) => {
    const whole = pattern(2_000_000);
    await Deno.writeFile(`${at.home.path}/f`, whole);
    {
      const privateKey = await Deno.readTextFile(`${at.home.path}/key`);
      const login = { username: at.account, privateKey };
      await using peer = await SftpPeer.open(at.server.facts.sftp!, login);
      const file = await peer.open("f", Open.WRITE | Open.CREAT | Open.TRUNC);
      for (let n = 0; n < 4; n++) {
        await peer.write(
          file,
          n * 200_000,
          whole.slice(n * 200_000, (n + 1) * 200_000),
        );
      }
    }
    await at.server.said('"outcome":"unavailable"', at.start);
    assert.match(await at.sftp("ls -l f"), / 800000 /);
    await at.sftp("reput f", "get f back");
    assert.deepEqual(await Deno.readFile(`${at.home.path}/back`), whole);
    await at.server.said('"verb":"put","path":"/home/f","bytes":1200000', at.start);
    await Deno.truncate(`${at.home.path}/back`, 123_456);
    await at.sftp("reget f back");
    assert.deepEqual(await Deno.readFile(`${at.home.path}/back`), whole);
  },
);

shared.add(openssh, "sums are told without a shell, and nothing else is run", async (at) => {
  await Deno.writeTextFile(`${at.home.path}/f`, "hello\n");
  await at.sftp("put f 'a file'");
  const ssh = (command: string, stdin = "") =>
    at.run("ssh", [...at.options, at.login, command], { stdin });
  const sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
  assert.equal((await ssh("sha256sum 'a file'")).stdout, `${sha256}  a file\n`);
  assert.equal((await ssh("md5sum", "hello\n")).stdout, "b1946ac92492d2347c6235b4d2611184  -\n");
  const none = await ssh("sha256sum nothing /home");
  assert.deepEqual([none.code, none.stdout], [1, ""]);
  assert.match(none.stderr, /^barge: nothing: there is no such file\n/);
  const shell = await ssh("ls; id");
  assert.deepEqual([shell.code, shell.stdout], [127, ""]);
  const login = await at.run("ssh", [...at.options, at.login], { stdin: "id\n" });
  assert.deepEqual([login.code, login.stdout], [127, ""]);
  assert.match(login.stderr, /barge: there is no shell here: only sftp, scp/);
});

shared.add(openssh, "twenty sessions at once keep out of each other's way", async (at) => {
  await Deno.writeFile(`${at.home.path}/f`, pattern(500_000));
  const one = async (n: number) => await at.sftp(`put f f${n}`, `get f${n} back${n}`, `rm f${n}`);
  const ended = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => one(n)));
  for (const [n, outcome] of ended.entries()) {
    assert.equal(outcome.status, "fulfilled", outcome.status === "rejected" ? outcome.reason : "");
    assert.deepEqual(await Deno.readFile(`${at.home.path}/back${n}`), pattern(500_000));
  }
  assert.equal(await at.sftp("ls"), "sftp> ls\n");
});

for (const key of [["-t", "ecdsa", "-b", "384"], ["-t", "rsa", "-b", "2048"]]) {
  shared.add(openssh, `a key of type ${key[1]} lets in`, async (at) => {
    assert.match(await at.sftp("pwd"), /\/home/);
  }, { key });
}

shared.add(["ssh-keygen"], "the server's host keys are told by it, and by cert", async (at) => {
  const { stdout } = await at.home.barge(["cert", "--data", at.server.data, "--json"]);
  const { hostKeys } = JSON.parse(stdout) as {
    hostKeys: { type: string; fingerprint: string; file: string }[];
  };
  assert.deepEqual(hostKeys.map(({ type }) => type), ["ssh-ed25519", "ssh-rsa"]);
  for (const { file, fingerprint } of hostKeys) {
    assert.equal((await at.ok("ssh-keygen", ["-lf", file])).split(" ")[1], fingerprint);
  }
  const shown = await at.home.barge(["cert", "--data", at.server.data]);
  const lines = hostKeys.map(({ type, fingerprint }) => `${fingerprint} ${type}\n`);
  assert.equal(shown.stdout, lines.join(""));
}, { ofOneMachine: true });
