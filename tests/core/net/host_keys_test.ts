import assert from "node:assert/strict";
import ssh2 from "ssh2";
import {
  isWholePair,
  ownHostKeys,
  readHostKeys,
  readPrivateKeys,
} from "../../../core/net/host_keys.ts";

Deno.test("host keys are made once, together, readable by their owner only", async () => {
  const data = await Deno.makeTempDir({ prefix: "barge-keys-" });
  try {
    assert.equal(await readHostKeys(data), undefined);
    const [one, other] = await Promise.all([ownHostKeys(data), ownHostKeys(data)]);
    assert.deepEqual(one, other);
    assert.deepEqual(one.map(({ type }) => type), ["ssh-ed25519", "ssh-rsa"]);
    assert.deepEqual(await ownHostKeys(data), one);
    assert.deepEqual(Array.from(Deno.readDirSync(data), ({ name }) => name), ["ssh"]);
    assert.equal(Deno.statSync(`${data}/ssh`).mode! & 0o777, 0o700);
    for (const { name } of Deno.readDirSync(`${data}/ssh`)) {
      assert.equal(Deno.statSync(`${data}/ssh/${name}`).mode! & 0o777, 0o600, name);
    }
    assert.equal((await readPrivateKeys(data)).length, 2);
    await Deno.remove(`${data}/ssh/ssh_host_rsa_key`);
    await assert.rejects(readPrivateKeys(data), /no such file/);
    await Deno.remove(`${data}/ssh/ssh_host_rsa_key.pub`);
    await assert.rejects(ownHostKeys(data), /read host key .*ssh_host_rsa_key.pub/);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});

Deno.test("a pair that the package has spoiled is not used", async () => {
  // One of 256 is: in 8,000 there is one, but for one run of 10^13.
  for (let i = 0; i < 8000; i++) {
    const pair = ssh2.utils.generateKeyPairSync("ed25519");
    const [, base64] = pair.public.split(" ");
    const isWhole = Uint8Array.fromBase64(base64).length === 51;
    if (isWhole && i > 0) continue;
    assert.equal(await isWholePair(pair), isWhole);
    if (!isWhole) return;
  }
  assert.fail("the package makes whole keys now: isWholePair can go");
});
