/** Light commits wait neither for another program's transaction nor for the disk. */
import assert from "node:assert/strict";
import { fingerprintOf, parseAuthorizedKeys } from "../../../core/storage/public_key.ts";
import { Heartbeat } from "../../../core/local/heartbeat.ts";
import { hold } from "./_process.ts";
import { begin, request, Setup, sha256 } from "../_setup.ts";

const MiB = 1024 * 1024;

Deno.test("an upload goes on while another program has the write lock, and waits for room off the event loop", async () => {
  using setup = new Setup({ durability: "full" });
  const anna = setup.user("anna", 100 * MiB);
  const going = await begin(anna, request("/home/a"));
  const piece = new Uint8Array(MiB);
  await going.write(piece); // reserves eight more
  const [row] = setup.store.reservations.uploads();
  {
    const lock = await hold(`${setup.data}/accounts.db`);
    for (let i = 0; i < 8; i++) await going.write(piece);
    assert.equal(going.offset, 9 * MiB);
    const heartbeat = new Heartbeat(setup.store, row);
    assert.equal(heartbeat.renewLeaseNow(), false); // left out
    let ended = false;
    const growing = going.write(piece).finally(() => ended = true);
    const behind = going.writeAt(10 * MiB, piece);
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 1));
    assert.equal(ended, false);
    assert.equal(going.offset, 9 * MiB);
    await lock[Symbol.asyncDispose]();
    await Promise.all([growing, behind]);
  }
  assert.equal(going.offset, 11 * MiB);
  assert.equal(new Heartbeat(setup.store, row).renewLeaseNow(), true);
  await going.commit(sha256(new Uint8Array(11 * MiB)), true);
  assert.deepEqual([setup.account("anna").used, setup.account("anna").reserved], [11 * MiB, 0]);
  setup.check();
});

Deno.test("an upload's end waits for the write lock off the event loop, too", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 100);
  const going = await begin(anna, request("/home/a", { size: 50 }));
  await going.write(new Uint8Array(20));
  const lock = await hold(`${setup.data}/accounts.db`);
  let ended = false;
  const detaching = going.detach().finally(() => ended = true);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(ended, false);
  await lock[Symbol.asyncDispose]();
  await detaching;
  assert.equal(setup.account("anna").reserved, 20);
});

Deno.test("a login does not wait for the note of its time", async () => {
  using setup = new Setup();
  const { id } = setup.user("anna");
  const { tokens, keys, webSessions, accounts, db } = setup.store;
  const token = await tokens.issue(id, "t");
  const blob = `${"AAAAC3NzaC1lZDI1NTE5AAAA"}${"IA".padEnd(44, "A")}`;
  const [key] = parseAuthorizedKeys(`ssh-ed25519 ${blob} anna@here`);
  keys.add(id, key);
  const fingerprint = fingerprintOf(key.blob);
  const secret = webSessions.begin(id, { agent: "a", address: "127.0.0.1" });
  db.run("UPDATE web_session SET seen = seen - 120000");
  const note = () => {
    tokens.touch(token.id, "127.0.0.1");
    keys.touch(id, fingerprint);
    accounts.loggedIn(id);
    assert.equal(webSessions.find(secret)?.account, id);
  };
  const noted = () => [
    tokens.list(id)[0].used !== null,
    keys.list(id)[0].used !== null,
    accounts.byId(id)!.lastLogin !== null,
    webSessions.list(id)[0].seen > Date.now() - 60_000,
  ];
  {
    await using _lock = await hold(`${setup.data}/accounts.db`);
    note(); // would throw, after five seconds
    assert.deepEqual(noted(), [false, false, false, false]);
  }
  note();
  assert.deepEqual(noted(), [true, true, true, true]);
});
