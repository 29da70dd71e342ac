/** The wait before a failed login's answer: it is nobody else's, and ends with its connection. */
import assert from "node:assert/strict";
import { nonce } from "../../../core/protocol/scram.ts";
import { challenge } from "../../../core/login/login.ts";
import { Here } from "./_here.ts";
import { pattern, Peer } from "./_peer.ts";

const wrong = { verb: "proof", proof: "A".repeat(43) + "=" };
const auth = () => (
  { verb: "auth", mechanism: "token", account: "none", nonce: nonce() } as const
);

/** Timeouts of a second and more do not end by themselves meanwhile: only who is not waited for goes on. */
class LongWaits implements Disposable {
  readonly #real = globalThis.setTimeout;

  constructor() {
    const real = this.#real;
    globalThis.setTimeout =
      ((callback: () => void, ms = 0) =>
        real(callback, ms < 1000 ? ms : 2 ** 31 - 1)) as typeof setTimeout;
  }

  [Symbol.dispose](): void {
    globalThis.setTimeout = this.#real;
  }
}

/** Has so many logins from loopback failed that the next one is answered after 5 s. */
function slowDown(here: Here): void {
  const attempt = { account: undefined, name: "none", mechanism: "token", host: "::1" } as const;
  for (let i = 0; i < 8; i++) here.store.bans.failed(attempt);
  assert.equal(here.store.bans.failed(attempt).delay, 5000);
}

Deno.test("who leaves during the wait is gone at once, however it leaves", async () => {
  await using here = await Here.start({});
  using other = await Peer.open(here.address, here.token);
  slowDown(here);
  using _waits = new LongWaits();
  const leave: ((peer: Peer) => void | Promise<void>)[] = [
    (peer) => peer.stream.close(),
    (peer) => peer.stream.end(),
  ];
  for (const how of leave) {
    using peer = await Peer.open(here.address);
    await peer.ask(auth());
    await peer.send(wrong);
    await how(peer);
    while (here.door.connections > 1) await other.ask({ verb: "ping" });
  }
});

Deno.test("a server that stops does not wait for it", async () => {
  const here = await Here.start({});
  slowDown(here);
  using _waits = new LongWaits();
  using peer = await Peer.open(here.address);
  await peer.ask(auth());
  await peer.send(wrong);
  await here[Symbol.asyncDispose]();
});

Deno.test("what was sent ahead of the answer is kept, in order, whatever its length", async () => {
  await using here = await Here.start({});
  using peer = await Peer.open(here.address);
  await peer.ask(auth());
  const agent = "x".repeat(1500);
  const pings = Array.from({ length: 40 }, () => ({ verb: "ping", agent }));
  await peer.send(wrong, ...pings.slice(0, 1));
  await peer.send(...pings.slice(1));
  assert.equal(await peer.failure(), "unauthenticated");
  for (const _ of pings) assert.equal((await peer.answer()).ok, true);
  // And one wait after the other, with a whole body behind the second.
  await peer.ask(auth());
  const put = { verb: "put", path: "/home/a", size: 5000, body: 5000 };
  await peer.send(wrong, auth(), wrong, put, pattern(5000), { sha256: "0".repeat(64) });
  assert.equal(await peer.failure(), "unauthenticated");
  assert.equal((await peer.answer()).ok, true);
  assert.equal(await peer.failure(), "unauthenticated");
  assert.equal(await peer.failure(), "unauthenticated");
  await peer.ask({ verb: "ping" });
});

Deno.test("a challenge without a proof counts against its address, and delays the next", async () => {
  await using here = await Here.start({});
  const failed = () => here.store.metrics.snapshot().logins.failed;
  {
    using peer = await Peer.open(here.address);
    await peer.ask(auth());
    assert.equal(failed(), 0);
    await peer.ask(auth());
    assert.equal(failed(), 1, "another challenge took its place");
    await peer.login(here.token);
    assert.equal(failed(), 2, "so it was with the second");
    await peer.ask(auth());
  }
  while (here.door.connections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(failed(), 3, "the connection ended");
  const { store } = here;
  const host = "192.0.2.1";
  for (let i = 0; i < 9; i++) {
    (await challenge(store, { ...auth(), mechanism: "password", account: "anna" }, host)).abandon();
  }
  const bans = store.bans.list().map(({ account, address }) => [account, address]);
  assert.deepEqual(bans, [[null, host]], "the address alone");
});

Deno.test("before the login frames are short", async () => {
  await using here = await Here.start({});
  const ping = (length: number) => ({ verb: "ping", x: "x".repeat(length - 22) });
  assert.equal(JSON.stringify(ping(4096)).length, 4096);
  {
    using peer = await Peer.open(here.address);
    await peer.ask(ping(4096));
    await peer.send(ping(4097));
    assert.equal(await peer.failure(), "protocol");
    await peer.gone();
  }
  using peer = await Peer.open(here.address, here.token);
  await peer.ask(ping(65536));
});

Deno.test("a login has so long in all, and ping does not prolong it", async () => {
  await using here = await Here.start({ login: 100 });
  using user = await Peer.open(here.address, here.token);
  using peer = await Peer.open(here.address);
  await assert.rejects(async () => {
    while (true) await peer.ask({ verb: "ping" });
  });
  await user.ask({ verb: "ping" });
});
