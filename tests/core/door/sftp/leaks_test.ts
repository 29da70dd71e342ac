/** A connection closes all its handles when it ends, however it ends. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { Open, PacketWriter, Status, Type } from "../../../../core/door/sftp/packet.ts";
import { SftpHere } from "./_here.ts";
import { closed, refused, type SftpPeer } from "./_peer.ts";

const { READ, WRITE, CREAT, TRUNC } = Open;
const bytes = (text: string) => new TextEncoder().encode(text);

/** Returns the files that this process has open below a folder. */
function openBelow(folder: string): string[] {
  const found: string[] = [];
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      const path = Deno.readLinkSync(`/proc/self/fd/${name}`);
      if (path.startsWith(`${folder}/`) && !/accounts\.db/.test(path)) found.push(path);
    } catch { /* it was the folder of descriptors itself */ }
  }
  return found;
}

const openFolder = (peer: SftpPeer, path: string) => peer.ask(Type.OPENDIR, (p) => p.text(path));

Deno.test({
  name: "handles of every sort, refused opens and cut transfers leave nothing open",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using here = await SftpHere.start({}, {}, 200_000_000);
    const { data } = here.store.settings;
    {
      await using peer = await here.peer();
      const file = await peer.open("f", WRITE | CREAT);
      await peer.write(file, 0, new Uint8Array(50_000));
      await peer.close(file);
    }
    for (let round = 0; round < 10; round++) {
      await using peer = await here.peer();
      for (let i = 0; i < 10; i++) {
        await peer.open("f", READ);
        await openFolder(peer, "/home");
        const file = await peer.open(`new${i}`, WRITE | CREAT | TRUNC);
        await peer.write(file, 0, bytes("12345"));
        await refused(peer.open("none", READ), Status.NO_SUCH_FILE);
        await refused(peer.open("no/where", WRITE | CREAT), Status.NO_SUCH_FILE);
        await refused(openFolder(peer, "f"), Status.NO_SUCH_FILE);
      }
      // Over quota: the upload is dropped, and its handle stays to refuse later writes.
      const over = await peer.open("over", WRITE | CREAT);
      await refused(peer.write(over, 199_999_999, bytes("123")), Status.FAILURE);
      const copied = await peer.open("f", READ | WRITE);
      await peer.write(copied, 0, bytes("1"));
      // Requests that are under way when the connection ends.
      for (let i = 0; i < 50; i++) {
        const open = new PacketWriter(Type.OPEN, 9000 + i).text("f").int(READ | WRITE).attrs({});
        peer.send(open.done());
      }
      if (round % 2) {
        const gone = closed(peer.client);
        peer.client.end();
        await gone;
      }
    }
    await here.drained();
    assert.deepEqual(openBelow(data), []);
    const uploads = here.store.reservations.uploads();
    assert.deepEqual(uploads.filter(({ holder }) => holder !== null), []);
    assert.deepEqual(
      uploads.map(({ name }) => name).sort(),
      [...Array(10).keys()].map((i) => `new${i}`),
    );
    assert.equal(here.store.accounts.find("anna")!.reserved, 50);
    assert.equal(Array.from(Deno.readDirSync(`${data}/staging`)).length, 10);
  },
});

Deno.test({
  name: "scp that is cut leaves nothing open, either way",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using here = await SftpHere.start();
    const { data } = here.store.settings;
    await Deno.mkdir(here.home, { recursive: true });
    await Deno.writeFile(`${here.home}/big`, new Uint8Array(8_000_000));
    const begins = [
      "scp -t /home/up",
      "scp -f /home/big",
      "scp -r -f /home",
      "sha256sum /home/big",
    ];
    for (const command of begins) {
      const client = await here.ssh();
      await new Promise<void>((resolve, reject) => {
        // deno-lint-ignore no-explicit-any
        client.exec(command, (error: Error | undefined, channel: any) => {
          if (error) return reject(error);
          const sink = command.includes("-t");
          channel.write(sink ? "C0644 1000 up\n12345" : "\0\0\0");
          channel.once("data", () => resolve());
        });
      });
      const gone = closed(client);
      client.destroy();
      await gone;
    }
    await here.drained();
    assert.deepEqual(openBelow(data), []);
    assert.deepEqual(here.store.reservations.uploads().filter(({ holder }) => holder !== null), []);
  },
});

Deno.test({
  name: "an upload that can't be let go of keeps no other handle open",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using here = await SftpHere.start();
    const { data } = here.store.settings;
    {
      await using peer = await here.peer();
      await peer.close(await peer.open("f", WRITE | CREAT));
      for (const name of ["a", "b"]) {
        await peer.write(await peer.open(name, WRITE | CREAT), 0, bytes("12345"));
        await peer.open("f", READ);
        await openFolder(peer, "/home");
      }
      using db = new DatabaseSync(`${data}/accounts.db`);
      db.exec(
        "CREATE TRIGGER stuck BEFORE UPDATE ON upload BEGIN SELECT RAISE(ABORT, 'stuck'); END",
      );
    }
    await here.drained();
    assert.deepEqual(openBelow(data), []);
  },
});
