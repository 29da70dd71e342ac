/** A disk that is full to its last byte: what makes room on it works, through every door. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { layHostKeys } from "../_host_keys.ts";
import { startServer } from "../_server.ts";
import { parseAddress } from "../../core/net/address.ts";
import { Open, Type } from "../../core/door/sftp/packet.ts";
import { Client } from "../core/door/ftp/_client.ts";
import { eager, pattern, Peer } from "../core/door/_peer.ts";
import { SftpPeer } from "../core/door/sftp/_peer.ts";
import { canMount, fill, mountDisk } from "./_disk.ts";
import { Home } from "./_barge.ts";

const possible = await canMount();
const name = "a full disk keeps nobody from removing, moving, logging in and being given room";

Deno.test({
  name: possible ? name : `${name} (skipped: a disk can't be mounted here)`,
  ignore: !possible,
  async fn(t) {
    await using home = new Home();
    const data = `${home.path}/disk`;
    await using _disk = (await mountDisk(data, "64m"))!;
    await layHostKeys(data);
    const doors = ["native", "http", "ftp", "sftp"].flatMap((door) => [`--${door}`, "127.0.0.1:0"]);
    await using server = await startServer({ data, args: [...doors, "--workers", "2"] });
    await server.addUser("anna", { quota: "30MB" });
    await server.addUser("bob");
    const token = await server.issueToken("anna");
    const there = `${data}/homes/anna`;
    const full = () => fill(`${data}/filler`);
    const names = () => Array.from(Deno.readDirSync(there), ({ name }) => name).sort();
    {
      using peer = await Peer.open(server.address, "anna");
      await peer.ask({ verb: "mkdir", path: "/home/tree" });
      // Files without a byte: removing them makes no room for the next step.
      for (const name of ["tree/a", "tree/b", "native", "http", "dav", "ftp", "sftp", "m", "n"]) {
        await peer.ask(eager(`/home/${name}`, new Uint8Array()));
      }
      for (let i = 0; i < 20; i++) await peer.ask(eager(`/home/tree/${i}`, pattern(1000)));
    }
    const env = { BARGE_SERVER: `barge://anna@${server.address}`, BARGE_DATA: data };
    const barge = (...args: string[]) =>
      home.barge(args, { env: { ...env, BARGE_PASSWORD: token } });
    const refused = await (async () => {
      full();
      using peer = await Peer.open(server.address, "anna");
      await peer.send(eager("/home/more", pattern(100_000)));
      return (await peer.answer()).error as { kind: string };
    })();
    assert.equal(refused.kind, "no-space");

    await t.step("native, also with a login", async () => {
      full();
      const withPassword = { env: { ...env, BARGE_PASSWORD: "anna-secret" } };
      const { code, stderr } = await home.barge(["rm", "/home/native"], withPassword);
      assert.equal(code, 0, stderr);
      full();
      const tree = await barge("rm", "-r", "/home/tree");
      assert.equal(tree.code, 0, tree.stderr);
      full();
      const moved = await barge("mv", "/home/m", "/home/moved");
      assert.equal(moved.code, 0, moved.stderr);
    });
    await t.step("HTTP and WebDAV", async () => {
      const authorization = `Basic ${btoa(`anna:${token}`)}`;
      const ask = async (method: string, path: string, headers: Record<string, string> = {}) => {
        full();
        const url = `http://${server.facts.http}${path}`;
        const response = await fetch(url, { method, headers: { authorization, ...headers } });
        const text = await response.text();
        assert.ok(response.ok, `${method} ${path}: ${text}`);
      };
      await ask("DELETE", "/api/v1/files/home/http");
      await ask("DELETE", "/dav/home/dav");
      const destination = `http://${server.facts.http}/dav/home/n2`;
      await ask("MOVE", "/dav/home/n", { destination });
    });
    await t.step("FTP", async () => {
      full();
      using client = await Client.connect(parseAddress(server.facts.ftp!));
      await client.expect(220);
      await client.login("anna-secret");
      full();
      await client.ask("DELE /home/ftp", 250);
      await client.ask("RNFR /home/n2", 350);
      await client.ask("RNTO /home/n3", 250);
    });
    await t.step("SFTP", async () => {
      full();
      await using peer = await SftpPeer.open(server.facts.sftp!, {
        username: "anna",
        password: token,
      });
      full();
      await peer.ask(Type.REMOVE, (p) => p.text("sftp"));
      await peer.ask(Type.RENAME, (p) => p.text("n3").text("n4"));
      assert.deepEqual(names(), ["moved", "n4"]);
      const file = await peer.open("moved", Open.WRITE);
      await peer.close(file);
    });
    await t.step("the operator's commands", async () => {
      for (
        const args of [
          ["user", "disable", "bob"],
          ["quota", "set", "anna", "40MB"],
          ["user", "remove", "bob"],
        ]
      ) {
        full();
        const { code, stderr } = await barge(...args);
        assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
      }
    });
    await t.step("hundreds of times", async () => {
      full();
      await using peer = await SftpPeer.open(server.facts.sftp!, {
        username: "anna",
        password: token,
      });
      for (let i = 0; i < 300; i++) {
        await peer.ask(Type.RENAME, (p) => p.text(i % 2 ? "n5" : "n4").text(i % 2 ? "n4" : "n5"));
      }
      await peer.ask(Type.REMOVE, (p) => p.text("n4"));
    });
    await t.step("and the ledger agrees", async () => {
      Deno.removeSync(`${data}/filler`);
      const { code, stdout, stderr } = await barge("verify");
      assert.equal(code, 0, stdout + stderr);
      assert.deepEqual(names(), ["moved"]);
      const db = new DatabaseSync(`${data}/accounts.db`, { readOnly: true });
      try {
        const rows = db.prepare("SELECT name, used, reserved FROM account ORDER BY name").all();
        assert.deepEqual(rows.filter(({ name }) => name !== "admin").map((row) => ({ ...row })), [
          { name: "anna", used: 0, reserved: 0 },
        ]);
      } finally {
        db.close();
      }
    });
    assert.doesNotMatch(server.stderr(), /"level":"ERROR"/);
  },
});
