import assert from "node:assert/strict";
import { Home, lines } from "./_barge.ts";

const keys = new URL("../../fixtures/sftp/ssh/", import.meta.url).pathname;
const ed25519 = Deno.readTextFileSync(`${keys}/ssh_host_ed25519_key.pub`).trim();

Deno.test("keys are added from a line, a file and standard input, listed and removed", async () => {
  await using home = new Home();
  const data = ["--data", `${home.path}/data`];
  const key = (verb: string, args: string[], stdin?: string) =>
    home.barge(["user", "key", verb, ...args, ...data], { stdin });
  const env = { BARGE_PASSWORD: "secret-enough" };
  await home.barge(["user", "add", "anna", "--quota", "none", ...data], { env });

  const added = await key("add", ["anna", `no-pty ${ed25519}`]);
  assert.deepEqual([added.code, added.stdout], [0, ""]);
  assert.match(added.stderr, /^anna may log in with ssh-ed25519 SHA256:\S{43} barge\n/m);
  assert.match(added.stderr, /\nignored: no-pty: barge never allows it anyway\n$/);
  const again = await key("add", ["anna", ...ed25519.split(" ")]);
  assert.match(again.stderr, /^anna has SHA256:\S{43} already\n$/m);
  const file = await key("add", ["anna", `${keys}/ssh_host_rsa_key.pub`, "--json"]);
  assert.equal(lines(file)[0].type, "ssh-rsa");
  const stdin = await key("add", ["anna"], `# two\n${ed25519}\n`);
  assert.match(stdin.stderr, /already/);

  const listed = lines(await key("list", ["anna", "--json"]));
  assert.deepEqual(listed.map(({ type, comment, used }) => [type, comment, used]), [
    ["ssh-ed25519", "barge", null],
    ["ssh-rsa", "barge", null],
  ]);
  assert.match(
    (await key("list", ["anna"])).stdout,
    /^TYPE +FINGERPRINT +ADDED +LAST USED +COMMENT/,
  );
  const removed = await key("remove", ["anna", listed[0].fingerprint]);
  assert.equal(removed.code, 0);
  assert.match(removed.stderr, /^removed 1 key of anna\n$/m);
  const gone = await key("remove", ["anna", listed[0].fingerprint]);
  assert.equal(gone.code, 4);
  assert.deepEqual(lines(await key("remove", ["anna", "all", "--json"])).length, 1);
});

Deno.test("text that is not a key is refused with the reason", async () => {
  await using home = new Home();
  const data = ["--data", `${home.path}/data`];
  const env = { BARGE_PASSWORD: "secret-enough" };
  await home.barge(["user", "add", "anna", "--quota", "none", ...data], { env });
  const add = (...args: string[]) => home.barge(["user", "key", "add", ...args, ...data]);
  const cases: [string[], number, RegExp][] = [
    [["nobody", ed25519], 4, /nobody/],
    [["anna", "no/such.pub"], 4, /^barge: read key no\/such.pub: no such file/m],
    [["anna", `from="10.0.0.1" ${ed25519}`], 2, /option from="10.0.0.1" is not supported/],
    [["anna", `${keys}/ssh_host_ed25519_key`], 2, /private key/],
    [["anna", "/dev/null"], 2, /there is no key in it/],
    [["anna", ed25519.slice(0, 60)], 2, /was a part of it lost/],
  ];
  for (const [args, code, why] of cases) {
    const { code: got, stderr } = await add(...args);
    assert.equal(got, code, stderr);
    assert.match(stderr, why);
  }
});
