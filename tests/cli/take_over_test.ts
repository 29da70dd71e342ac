/** The same `barge put` once more, before the server knows that the first one has ended. */
import assert from "node:assert/strict";
import { until } from "../_observe.ts";
import { type Server, startServer } from "../_server.ts";
import { eager, pattern, Peer, sha256, text } from "../core/door/_peer.ts";
import { Home, lines } from "./_barge.ts";
import { saveLogin } from "./_logged_in.ts";

const MiB = 1024 * 1024;

Deno.test("an upload goes on although the server does not know that the last one has ended", async (t) => {
  await using server = await startServer({ args: ["--workers", "2"] });
  await t.step(
    "the same put resumes at once, however the first one was stopped",
    (t) => takeOver(t, server),
  );
  await t.step(
    "the account's partial uploads are listed, and dropped without the file of that name",
    () => dropPartialUploads(server),
  );
  await t.step(
    "thirty retries, each at the moment when the one before is cut, all resume",
    () => retryAtEachCut(server),
  );
});

async function takeOver(t: Deno.TestContext, server: Server): Promise<void> {
  await using home = new Home();
  await server.addUser("anna", { quota: String(12 * MiB) });
  await saveLogin(home, server, "anna");
  const content = pattern(8 * MiB);
  Deno.writeFileSync(`${home.path}/f`, content);
  const secret = { BARGE_PASSWORD: await server.issueToken("anna") };
  const put = (file: string, address: string) => [
    ...["put", "--json", file, "/home/f", "--server", `barge://anna@${address}`],
  ];
  using peer = await Peer.open(server.address, "anna");
  const begin = async (relay: StallingRelay) => {
    const child = home.spawn(put("f", relay.address), { env: secret });
    await until(async () => await offsetOf(peer) >= MiB);
    return child;
  };
  const quota = async () => {
    const { used, reserved } = await peer.ask({ verb: "quota" });
    return [used, reserved];
  };
  const assertTakenOver = async (first: Deno.ChildProcess) => {
    const { code, stdout } = await first.output();
    assert.equal(code, 5);
    const { status, error } = JSON.parse(new TextDecoder().decode(stdout));
    assert.equal(status, "failed");
    assert.match(JSON.stringify(error), /taken over by a newer connection/);
  };

  for (const signal of ["SIGSTOP", "SIGKILL"] as const) {
    await t.step(signal, async () => {
      await using relay = new StallingRelay(server.address, 2 * MiB);
      const first = await begin(relay);
      first.kill(signal);
      const again = await home.barge(put("f", server.address));
      assert.equal(again.code, 0, again.stderr);
      const [{ status, offset }] = lines(again) as { status: string; offset: number }[];
      assert.equal(status, "resumed");
      assert.ok(offset >= MiB, `${offset}`);
      assert.deepEqual(await quota(), [content.length, 0]);
      relay.release();
      if (signal === "SIGSTOP") {
        first.kill("SIGCONT");
        await assertTakenOver(first);
      } else await first.output();
      assert.deepEqual(await quota(), [content.length, 0]);
      await peer.ask({ verb: "remove", path: "/home/f" });
    });
  }

  await t.step("two uploads under way, with different bytes", async () => {
    await using relay = new StallingRelay(server.address, 2 * MiB);
    const first = await begin(relay);
    const other = pattern(8 * MiB, 7);
    Deno.writeFileSync(`${home.path}/f2`, other);
    const again = await home.barge(put("f2", server.address));
    assert.equal(again.code, 0, again.stderr);
    relay.release(); // the rest of the first one's bytes comes late
    await assertTakenOver(first);
    const { entry } = await peer.ask({ verb: "stat", path: "/home/f" }) as {
      entry: { sha256: string };
    };
    assert.equal(entry.sha256, sha256(other));
    assert.deepEqual(await quota(), [other.length, 0]);
  });
}

/**
 * Passes one connection on, and holds what the client sends beyond a number of bytes: an upload
 * through it is under way until `release`, however fast the machine is.
 */
class StallingRelay implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #released = Promise.withResolvers<void>();
  readonly #ended: Promise<void>;

  constructor(to: string, bytes: number) {
    this.#ended = this.#pass(Number(to.split(":").at(-1)), bytes);
  }

  get address(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  release(): void {
    this.#released.resolve();
  }

  async #pass(port: number, bytes: number): Promise<void> {
    using near = await this.#listener.accept();
    using far = await Deno.connect({ hostname: "127.0.0.1", port });
    const answers = far.readable.pipeTo(near.writable).catch(() => {/* the client is gone */});
    let passed = 0;
    try {
      for await (const piece of near.readable) {
        if (passed >= bytes) await this.#released.promise;
        passed += piece.length;
        // Bytes that the server no longer reads are dropped, so that the client gets its answer.
        await far.write(piece).catch(() => {});
      }
    } catch { /* the client was killed */ }
    await far.closeWrite().catch(() => {});
    await answers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
    this.#listener.close();
    await this.#ended;
  }
}

async function dropPartialUploads(server: Server): Promise<void> {
  await using home = new Home();
  for (const name of ["alice", "bob"]) await server.addUser(name, { quota: String(MiB) });
  await saveLogin(home, server, "alice");
  using peer = await Peer.open(server.address, "alice");
  await peer.ask(eager("/home/big", text("abc")));
  using bobs = await Peer.open(server.address, "bob");
  await bobs.ask({ verb: "put", path: "/home/bob", size: 77 });
  using sending = await Peer.open(server.address, "alice");
  await sending.ask({ verb: "put", path: "/home/big", size: 5000 });
  using other = await Peer.open(server.address, "alice");
  await other.ask({ verb: "put", path: "/public/a\tb", size: 300 });
  const barge = (...args: string[]) =>
    home.barge([...args, "--server", `barge://alice@${server.address}`]);

  const listed = await barge("ls", "--partial", "--json");
  assert.equal(listed.code, 0, listed.stderr);
  const rows = lines(listed) as { path: string; size: number; busy: boolean; expires: string }[];
  assert.deepEqual(
    rows.map(({ path, size, busy }) => [path, size, busy]),
    [["/home/big", 5000, true], ["/public/a\tb", 300, true]],
  );
  assert.ok(rows.every(({ expires }) => Date.parse(expires) > Date.now()));
  const below = await barge("ls", "--partial", "/home/");
  assert.match(below.stdout, /^ +0 of 5000 +under way +\/home\/big\n$/);

  const dropped = await barge("rm", "--partial", "/home/big");
  assert.deepEqual([dropped.code, dropped.stdout], [0, ""], dropped.stderr);
  assert.equal((await barge("rm", "--partial", "/home/big")).code, 4);
  assert.equal((await barge("rm", "--partial", "-r", "/home/big")).code, 2);
  assert.equal((await peer.ask({ verb: "quota" })).reserved, 300);
  const { entry } = await peer.ask({ verb: "stat", path: "/home/big" });
  assert.equal((entry as { size: number }).size, 3);
}

async function retryAtEachCut(server: Server): Promise<void> {
  await server.addUser("carol", { password: "anna-secret" }); // its key is prepared
  const token = await server.issueToken("carol");
  const size = 3_100_000;
  const bytes = pattern(size);
  let peer = await Peer.open(server.address, token);
  using silent = new DisposableStack();
  let offset = 0;
  for (let i = 0; i <= 30; i++) {
    const go = await peer.ask({ verb: "put", path: "/home/f", size });
    assert.ok(Number(go.offset) >= offset, `${go.offset} of ${offset} bytes, at retry ${i}`);
    offset = Number(go.offset);
    assert.equal(go.prefix, offset > 0 ? sha256(bytes.subarray(0, offset)) : null);
    await peer.send({ offset, body: size - offset }, bytes.subarray(offset, offset + 100_000));
    using watch = await Peer.open(server.address, token);
    const by = performance.now() + 60_000;
    while (await offsetOf(watch) < offset + 100_000) assert.ok(performance.now() < by);
    offset += 100_000;
    if (i % 2) peer[Symbol.dispose]();
    else silent.use(peer); // stays, and says nothing
    peer = await Peer.open(server.address, token);
  }
  await peer.ask({ verb: "put", path: "/home/f", size });
  await peer.ask({ offset, body: size - offset }, bytes.subarray(offset), {
    sha256: sha256(bytes),
  });
  const { used, reserved } = await peer.ask({ verb: "quota" });
  assert.deepEqual([used, reserved], [size, 0]);
  peer[Symbol.dispose]();
}

/** Returns the number of staged bytes of /home/f. */
async function offsetOf(peer: Peer): Promise<number> {
  await peer.send({ verb: "stat", path: "/home/f" });
  return ((await peer.answer()).upload as { offset: number } | null | undefined)?.offset ?? 0;
}
