/** Downloads by FTP and SSH whose first bytes the object store does not give. */
import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { Open, Status } from "../../core/door/sftp/packet.ts";
import type { Server } from "../_server.ts";
import { hasEngines } from "../contract/store/_shared.ts";
import { pattern } from "../core/door/_peer.ts";
import { type Login, refused, SftpPeer, ssh } from "../core/door/sftp/_peer.ts";
import { Home } from "./_barge.ts";
import { Nodes } from "./_nodes.ts";

const password = "anna-secret";
const sizes = { small: 3_000, large: 600_000 };
const message = /the object store does not answer/;

Deno.test({
  name: "no door begins a download whose first bytes the object store does not give",
  ignore: !hasEngines,
  async fn(t) {
    await using nodes = await Nodes.make();
    const login = { username: "anna", password: await nodes.addUser("anna") };
    await using home = new Home();
    const first = await nodes.start();
    for (const [name, size] of Object.entries(sizes)) {
      Deno.writeFileSync(`${home.path}/${name}`, pattern(size, size));
      const server = `barge://anna@${first.address}`;
      const env = { BARGE_PASSWORD: password };
      const { code } = await home.barge(["put", name, `/home/${name}`, "--server", server], {
        env,
      });
      assert.equal(code, 0);
    }

    // Another node: the first one may still hold the bytes.
    const args = ["--ftp", "127.0.0.1:0", "--sftp", "127.0.0.1:0"];
    const node = await nodes.start({ proxied: true, args });
    nodes.s3.refuse();
    for (const name of Object.keys(sizes)) {
      await t.step(`FTP, ${name}`, async () => void await ftp(node, login, name, /< 450 /));
      await t.step(`SFTP, ${name}`, () => sftp(node, login, name));
      await t.step(`scp, ${name}`, () => scpFails(node, login, name));
    }
    nodes.s3.listen();
    for (const [name, size] of Object.entries(sizes)) {
      assert.equal((await ftp(node, login, name, /< 226 /)).length, size);
      const output = await scp(node, login, name);
      assert.match(output, new RegExp(`^C0644 ${size} ${name}\n`));
      assert.ok(output.length > size);
    }
  },
});

/** Downloads with curl. @returns the bytes that arrived */
async function ftp(
  { facts }: Server,
  { username, password }: Login,
  name: string,
  reply: RegExp,
): Promise<Uint8Array> {
  const url = `ftp://${facts.ftp}/home/${name}`;
  const { stdout, stderr } = await new Deno.Command("curl", {
    args: ["-sv", "-m", "60", "--user", `${username}:${password}`, url],
  }).output();
  const dialog = new TextDecoder().decode(stderr);
  assert.match(dialog, reply);
  if (stdout.length === 0) {
    assert.match(dialog, message);
    assert.doesNotMatch(dialog, /< 150 /);
  }
  return stdout;
}

async function sftp({ facts }: Server, login: Login, name: string): Promise<void> {
  await using peer = await SftpPeer.open(facts.sftp!, login);
  await refused(peer.open(`/home/${name}`, Open.READ), Status.FAILURE, message);
}

/** Expects an error, which begins with the byte 1, in place of a size. */
async function scpFails(server: Server, login: Login, name: string): Promise<void> {
  const [error, ...more] = (await scp(server, login, name)).split("\n");
  assert.equal(error[0], "\x01");
  assert.match(error, message);
  assert.deepEqual(more, [""]);
}

/** Runs `scp -f`, and answers each line. @returns the output */
async function scp({ facts }: Server, login: Login, name: string): Promise<string> {
  const client = await ssh(facts.sftp!, login);
  try {
    return await new Promise<string>((resolve, reject) => {
      let text = "";
      client.exec(`scp -f /home/${name}`, (error: Error | undefined, channel: Duplex) => {
        if (error) return reject(error);
        channel.on("data", (bytes: Buffer) => {
          text += bytes.toString("latin1");
          channel.write("\0");
        });
        channel.on("close", () => resolve(text));
        channel.write("\0");
      });
    });
  } finally {
    client.end();
  }
}
