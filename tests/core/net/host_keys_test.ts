import assert from "node:assert/strict";
import { ownHostKeys, readHostKeys, readPrivateKeys } from "../../../core/net/host_keys.ts";

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
