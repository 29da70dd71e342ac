/** Downloads whose bytes change on the way to the client, or are damaged at the server. */
import assert from "node:assert/strict";
import { get } from "../../../core/client/get.ts";
import { put } from "../../../core/client/put.ts";
import { onTwoNodes } from "../../_server.ts";
import { noise, plant, recorder, Setup } from "./_setup.ts";

const size = 3_000_001;
const note = /differ from the server's digest; downloading it once more/;

/** Passes connections on to a server, and inverts a bit of each of some bytes of its answers. */
class Flipper implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #serving: Promise<unknown>;

  /** @param flipped the positions of the bytes, from the first byte of a connection */
  constructor(target: string, flipped: readonly number[]) {
    this.#serving = this.#serve(target, flipped);
  }

  get address(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#serving;
  }

  async #serve(target: string, flipped: readonly number[]): Promise<void> {
    const [hostname, port] = target.split(":");
    using client = await this.#listener.accept();
    using server = await Deno.connect({ hostname, port: Number(port) });
    let at = 0;
    const flip = new TransformStream<Uint8Array, Uint8Array>({
      transform(bytes, controller) {
        for (const position of flipped) {
          if (position >= at && position < at + bytes.length) bytes[position - at] ^= 1;
        }
        at += bytes.length;
        controller.enqueue(bytes);
      },
    });
    await Promise.allSettled([
      client.readable.pipeTo(server.writable),
      server.readable.pipeThrough(flip).pipeTo(client.writable),
    ]);
  }
}

const name = "a file whose bytes changed on the way fails, or a node is asked once more";
Deno.test(name, async (t) => {
  await using setup = await Setup.start();
  const { dir } = setup;
  plant(dir, { large: noise(size) });
  await put(setup.client, [`${dir}/large`], "/home/large");
  for (
    const [times, flipped, status] of [
      ["once", [1_000_000], onTwoNodes ? "sent" : "failed"],
      ["twice", [1_000_000, size + 1_000_000], "failed"],
    ] as const
  ) {
    await t.step(times, async () => {
      await using flipper = new Flipper(setup.server.address, flipped);
      const record = recorder();
      {
        await using client = await setup.connect(flipper.address);
        await get(client, ["/home/large"], `${dir}/got`, { onEvent: record.onEvent });
      }
      assert.deepEqual(record.outcome(), [`${status} /home/large`]);
      assert.equal(record.notes().length, onTwoNodes ? 1 : 0);
      for (const said of record.notes()) assert.match(said, note);
      const planned = record.events.reduce((n, e) => e.type === "plan" ? n + e.bytes : n, 0);
      const moved = record.events.reduce((n, e) => e.type === "bytes" ? n + e.count : n, 0);
      assert.equal(moved, planned);
      const left = Array.from(Deno.readDirSync(dir), (entry) => entry.name).sort();
      if (status === "failed") {
        assert.equal(record.results()[0].error?.kind, "digest");
        assert.deepEqual(left, ["large"]);
      } else {
        assert.deepEqual(Deno.readFileSync(`${dir}/got`), noise(size));
        Deno.removeSync(`${dir}/got`);
      }
    });
  }
});

Deno.test({
  name: "a file that is damaged on the server's disk is not downloaded again",
  ignore: onTwoNodes,
  fn: async () => {
    await using setup = await Setup.start();
    const { client, dir } = setup;
    plant(dir, { large: noise(size) });
    await put(client, [`${dir}/large`], "/home/large");
    // As a disk does it: the size, the times and the inode stay.
    const path = setup.disk("/home/large");
    const { atime, mtime } = Deno.statSync(path);
    const bytes = Deno.readFileSync(path);
    bytes[1_000_000] ^= 1;
    Deno.writeFileSync(path, bytes);
    Deno.utimeSync(path, atime!, mtime!);
    const record = recorder();
    const { error } = await get(client, ["/home/large"], `${dir}/got`, { onEvent: record.onEvent });
    assert.equal(error?.kind, "digest");
    assert.deepEqual(record.notes(), []);
    assert.deepEqual(Array.from(Deno.readDirSync(dir), ({ name }) => name), ["large"]);
  },
});
