import assert from "node:assert/strict";
import { parseAuthorizedKeys } from "../../../../core/storage/public_key.ts";
import { parseAddress } from "../../../../core/net/address.ts";
import {
  maxPendingLogins,
  maxPerAddress,
  PendingLogins,
} from "../../../../core/door/sftp/pending_logins.ts";
import { acceptsKey } from "../../../../core/login/public_key.ts";
import { makeKeyPair } from "../../../_key_pair.ts";
import { until } from "../../../_observe.ts";
import { verifierOf } from "../../../_passwords.ts";
import { totpSecret } from "../../../_server.ts";
import { SftpHere } from "./_here.ts";
import { algorithms, closed, SftpPeer, ssh, ssh2 } from "./_peer.ts";

async function withBob(here: SftpHere): Promise<void> {
  const verifier = await verifierOf("bob-secret");
  here.store.accounts.add({ name: "bob", role: "user", limit: null, verifier });
}

async function mayLogIn(address: string, login: object): Promise<boolean> {
  try {
    const client = await ssh(address, login as { username: string });
    const gone = closed(client);
    client.end();
    await gone;
    return true;
  } catch (error) {
    assert.match(String(error), /authentication methods failed|too many/);
    return false;
  }
}

Deno.test("a client logs in with its password, also by keyboard-interactive, but not with a wrong one", async () => {
  await using here = await SftpHere.start();
  await withBob(here);
  const { address } = here;
  assert(await mayLogIn(address, { username: "bob", password: "bob-secret" }));
  assert(!await mayLogIn(address, { username: "bob", password: "bob-wrong" }));
  assert(!await mayLogIn(address, { username: "bob", password: "" }));
  assert(!await mayLogIn(address, { username: "nobody", password: "bob-secret" }));
  const answer = (secret: string) => ({ username: "bob", tryKeyboard: true, secret });
  assert(await byKeyboard(address, answer("bob-secret")));
  assert(!await byKeyboard(address, answer("wrong")));
});

function byKeyboard(address: string, { secret, ...login }: { secret: string }): Promise<boolean> {
  const { host, port } = parseAddress(address);
  const client = new ssh2.Client();
  return new Promise((resolve) => {
    let result = false;
    client.on("ready", () => {
      result = true;
      client.end();
    });
    client.on("error", () => client.end()).on("close", () => resolve(result));
    client.on(
      "keyboard-interactive",
      (
        _name: string,
        _text: string,
        _language: string,
        prompts: { prompt: string; echo: boolean }[],
        finish: (answers: string[]) => void,
      ) => {
        assert.deepEqual(prompts, [{ prompt: "Password: ", echo: false }]);
        finish([secret]);
      },
    );
    client.connect({ host, port, ...login, algorithms });
  });
}

Deno.test("an attempt that another one supersedes gets no banner and no session", async () => {
  const limits = { connections: 100, perAddress: 100, perAccount: 1 };
  await using here = await SftpHere.start({}, { limits });
  await withBob(here);
  const { store, address } = here;
  const { token } = await store.tokens.issue(store.accounts.get("bob").id, "test");
  const prompts = ["Password: ", "Code: "];
  // With a second factor the first attempt fails, and without one it succeeds.
  for (const [asked, outcome] of [[2, "code-needed"], [1, "interrupted"]] as const) {
    await here.drained();
    const secret = asked === 2 ? totpSecret : null;
    store.db.run("UPDATE account SET totp_secret = ?, totp_step = 0 WHERE name = 'bob'", secret);
    const banners: string[] = [];
    const client = await superseding(address, token!, prompts.slice(0, asked), banners);
    await until(() =>
      store.metrics.snapshot().requests
        .some(({ door, outcomes }) => door === "sftp" && outcomes[outcome] === 1)
    );
    await using peer = await SftpPeer.raw(client);
    await peer.init();
    assert.deepEqual(banners, []);
  }
});

/**
 * Logs bob in with a token, while his attempt by keyboard-interactive is under way.
 *
 * @param prompts of the first attempt; the token follows the last one, or its answer if that is the password
 * @param banners gets what the server shows
 */
function superseding(
  address: string,
  token: string,
  prompts: readonly string[],
  banners: string[],
): Promise<Awaited<ReturnType<typeof ssh>>> {
  const { host, port } = parseAddress(address);
  const client = new ssh2.Client();
  const left = [...prompts];
  client.on("banner", (text: string) => banners.push(text));
  client.on("keyboard-interactive", (...args: unknown[]) => {
    const [, , , asked, answer] = args as [
      ...[string, string, string, { prompt: string }[]],
      (answers: string[]) => void,
    ];
    assert.equal(asked[0].prompt, left.shift());
    if (asked[0].prompt === "Password: ") answer(["bob-secret"]);
    if (left.length === 0) client._protocol.authPassword("bob", token);
  });
  return new Promise((resolve, reject) => {
    client.once("ready", () => resolve(client));
    client.once("error", reject);
    const authHandler = ["none", "keyboard-interactive"];
    client.connect({ host, port, username: "bob", tryKeyboard: true, authHandler, algorithms });
  });
}

Deno.test("an account logs in with its own keys until they are removed", async () => {
  await using here = await SftpHere.start();
  await withBob(here);
  const { store, address } = here;
  const bob = store.accounts.get("bob").id;
  for (const pair of [makeKeyPair("ed25519"), makeKeyPair("rsa", 2048)]) {
    const login = { username: "bob", privateKey: pair.private };
    assert(!await mayLogIn(address, login));
    const [key] = parseAuthorizedKeys(pair.public);
    assert(store.keys.add(bob, key));
    assert(!store.keys.add(bob, key));
    assert(await mayLogIn(address, login));
    assert(!await mayLogIn(address, { ...login, username: "anna" }));
    const [{ fingerprint, used }] = store.keys.list(bob);
    assert(used !== null);
    assert(store.keys.remove(bob, fingerprint));
    assert(!await mayLogIn(address, login));
  }
});

Deno.test("a disabled account can't log in with its key", async () => {
  await using here = await SftpHere.start();
  await withBob(here);
  const { store, address } = here;
  const pair = makeKeyPair("ed25519");
  store.keys.add(store.accounts.get("bob").id, parseAuthorizedKeys(pair.public)[0]);
  const login = { username: "bob", privateKey: pair.private };
  store.accounts.change("bob", { disabled: true });
  assert(!await mayLogIn(address, login));
  store.accounts.change("bob", { disabled: false });
  await using peer = await SftpPeer.open(address, login);
  store.accounts.change("bob", { disabled: true });
  await assert.rejects(peer.stat("/home"), /^Error: 3: .*disabled/);
});

Deno.test("failed logins lead to a ban, as at every door", async () => {
  await using here = await SftpHere.start({}, { banAfter: 2 });
  await withBob(here);
  const { store, address } = here;
  for (let i = 0; i < 2; i++) {
    assert(!await mayLogIn(address, { username: "bob", password: "wrong" }));
  }
  assert.equal(store.bans.list()[0]?.account, "bob");
  assert(!await mayLogIn(address, { username: "bob", password: "bob-secret" }));
  assert(await mayLogIn(address, here.login));
});

Deno.test("a connection has a bounded number of tries", async () => {
  await using here = await SftpHere.start({}, { banAfter: 0 });
  const pair = makeKeyPair("ed25519");
  let asked = 0;
  const authHandler = () =>
    asked++ < 100 && { type: "publickey", username: "anna", key: pair.private };
  await assert.rejects(
    ssh(here.address, { username: "anna" }, { authHandler: authHandler as unknown }),
  );
  assert.equal(asked, 33);
});

Deno.test("an account has a bounded number of connections", async () => {
  const limits = { connections: 100, perAddress: 100, perAccount: 2 };
  await using here = await SftpHere.start({}, { limits });
  await using _one = await here.peer();
  await using two = await here.peer();
  await assert.rejects(here.ssh());
  await two[Symbol.asyncDispose]();
  while (here.door.connections > 1) await new Promise((resolve) => setTimeout(resolve, 10));
  await using _three = await here.peer();
});

Deno.test("a client that tries keys that an account does not have is banned", async () => {
  await using here = await SftpHere.start({}, { banAfter: 3 });
  await withBob(here);
  const { store } = here;
  const own = parseAuthorizedKeys(makeKeyPair("ed25519").public)[0];
  store.keys.add(store.accounts.get("bob").id, own);
  const others = [1, 2, 3].map(() => parseAuthorizedKeys(makeKeyPair("ed25519").public)[0].blob);
  const ask = (key: Uint8Array, name = "bob", host = "192.0.2.1") =>
    acceptsKey(store, { name, key, host });
  assert(await ask(own.blob));
  assert(!(await ask(others[0])) && !(await ask(others[1], "nobody")));
  assert(await ask(own.blob), "not banned yet");
  assert(!(await ask(others[2])));
  assert.deepEqual(store.bans.list().map(({ account, address }) => [account, address]), [
    [null, "192.0.2.1"],
  ]);
  assert(!(await ask(own.blob)));
  assert(await ask(own.blob, "bob", "192.0.2.2"), "the account is not banned");
  // A login with one key of an agent clears the failures of its other keys.
  for (let i = 0; i < 4; i++) {
    assert(
      !(await ask(others[0], "bob", "192.0.2.3")) && !(await ask(others[1], "bob", "192.0.2.3")),
    );
    const account = store.accounts.get("bob");
    store.bans.succeeded({ account, name: "bob", mechanism: "key", host: "192.0.2.3" });
  }
  assert.equal(store.bans.list().length, 1);
});

Deno.test("connections that have not logged in are bounded, by address and in all", () => {
  const pendingLogins = new PendingLogins();
  const gone: string[] = [];
  const enter = (host: string) => pendingLogins.enter({ host, cut: () => gone.push(host) });
  const places = Array.from({ length: maxPerAddress }, () => enter("192.0.2.1"));
  assert(places.every((leave) => leave));
  assert.equal(enter("192.0.2.1"), undefined);
  places[0]!();
  places[0]!();
  assert(enter("192.0.2.1"));
  assert.equal(enter("192.0.2.1"), undefined);
  for (let i = maxPerAddress; i < maxPendingLogins; i++) assert(enter(`198.51.100.${i}`));
  assert.deepEqual(gone, []);
  assert(enter("127.0.0.1"));
  assert.deepEqual(gone, ["192.0.2.1"], "the oldest made room");
});

Deno.test("no key exchange that blocks the worker for long is offered", async () => {
  await using here = await SftpHere.start();
  const kex = ["diffie-hellman-group14-sha256"];
  await assert.rejects(ssh(here.address, here.login, { algorithms: { ...algorithms, kex } }));
});
